# What tries the project out: included by the Makefile at the top.
TESTS   := $(BUILD)/tests/check_sam
STREAMS := $(BUILD)/tests/wireshark_streams
EXAMPLES := $(patsubst docs/examples/%.c,$(BUILD)/examples/%,$(wildcard docs/examples/*.c))

$(BUILD)/tests/%.o: COMPILE += $(CHECK_CFLAGS)
# Of sam all but its main; of the tests all but what makes captures for tests/wireshark.sh.
$(TESTS): $(filter-out %/wireshark_streams.o,$(call objects,tests)) \
          $(filter-out %/sam.o,$(call objects,tools)) $(SEALS) $(LIBRARY)
	@echo 'link $@'
	@$(LINK) -o $@ $^ $(CHECK_LIBS) $(TLS_LIBS) $(CRYPTO_LIBS)

check: $(TESTS) $(PROGRAMS) $(GRADED) ## run the tests; SUITES="wire keys" runs some of them
	@SAM_BIN=$(or $(BIN),./) SAM_BUILD=$(BUILD) SAM_LABS=$(BUILD)/labs $(TESTS) $(SUITES)

# The same tests on programs built another way, in folders of their own.
variant = @$(MAKE) --no-print-directory $(2) BUILD=$(BUILD)/$(1) BIN=$(BUILD)/$(1)/ \
          CFLAGS='-O1 -g -fno-omit-frame-pointer $(3)'

asan: export ASAN_OPTIONS := quarantine_size_mb=16# what is large is forked, and searched for leaks, slowly
asan: ## run the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	$(call variant,asan,check,-fsanitize=address$(comma)undefined -fno-sanitize-recover=all)

# The other suites, and what they run, have one thread.
THREADED := primitives connection session secure_socket conversation chat tls hostile process instruments
tsan: export TSAN_OPTIONS := atexit_sleep_ms=20# each of thousands of processes would sleep a second
tsan: ## run the tests of what has threads under ThreadSanitizer
	$(call variant,tsan,check SUITES='$(or $(SUITES),$(THREADED))',-fsanitize=thread)

need_tool = @command -v $(1) > /dev/null || { echo '$(1) is missing: install it with make deps-dev' >&2; exit 1; }

VALGRIND := valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite
valgrind: $(TESTS) $(PROGRAMS) ## run the tests of the library under valgrind's memcheck
	$(call need_tool,valgrind)
	SAM_BIN=$(or $(BIN),./) CK_TIMEOUT_MULTIPLIER=30 CK_EXCLUDE_TAGS=slow $(VALGRIND) $(TESTS) \
	  $(or $(SUITES),status bytes file primitives rsa wire keys show envelope vectors connection)

include $(wildcard tests/*/*.mk)

coverage: ## run the tests and tell which lines of the programs they reach
	$(call variant,coverage,check,--coverage)
	gcovr --root . --object-directory $(BUILD)/coverage --exclude-throw-branches --print-summary \
	  --filter shared/ --filter tools/ --filter 'asymmetric_.*/seal.c' --html-details $(BUILD)/coverage/index.html

C_FILES := $(wildcard docs/examples/*.c shared/*.c asymmetric_*/*.c tools/*.c labs/stubs/*.c labs/solutions/*.c \
             tests/*.c tests/*/*.c tests/torture/shim/*.c) $(GRADER_C)
H_FILES := $(wildcard shared/*.h tools/*.h labs/*.h labs/*/*.h tests/*.h tests/*/*.h tests/torture/shim/*.h)
# Tests, and what judges with Check, are looked at by the compilers alone: Check's macros are not for
# these two.
TIDY := $(filter-out tests/% labs/real.c $(wildcard labs/*/grade*.c),$(C_FILES))
TIDY_INCLUDES := -Ishared -Itools -Ilabs $(patsubst %,-I%,$(wildcard labs/[0-9]*))
lint: ## compile with gcc and clang, warnings as errors; -fanalyzer, clang-tidy, cppcheck, shellcheck
	@$(MAKE) --no-print-directory everything BUILD=$(BUILD)/lint-gcc BIN=$(BUILD)/lint-gcc/ \
	  CC=gcc CFLAGS='-O2 -Werror -fanalyzer'
	@$(MAKE) --no-print-directory everything BUILD=$(BUILD)/lint-clang BIN=$(BUILD)/lint-clang/ \
	  CC=$(CLANG) CFLAGS='-O2 -Werror'
	clang-format --dry-run --Werror $(C_FILES) $(H_FILES)
	clang-tidy --quiet $(TIDY) -- $(STANDARD) $(TIDY_INCLUDES) $(CRYPTO_CFLAGS) $(CHECK_CFLAGS) 2>/dev/null
	cppcheck --quiet --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
	  --std=c11 -D_XOPEN_SOURCE=700 $(TIDY_INCLUDES) $(TIDY)
	shellcheck tools/*.sh tools/completion/sam.bash labs/*.sh tests/*.sh tests/*/*.sh .ci/run
everything: $(PROGRAMS) $(TESTS) $(STREAMS) $(GRADED) $(EXAMPLES) $(TORTURE) $(SHIM) $(CONSTANT_TIME) $(BENCH) \
            $(LOAD) $(COUNTED) $(call objects,tests/fuzz)

examples: $(EXAMPLES) ## build the programs of docs/secure-socket.md
	@:
$(EXAMPLES): $(BUILD)/examples/%: $(BUILD)/docs/examples/%.o $(filter %symmetric/seal.o,$(SEALS)) $(LIBRARY)
	@mkdir -p $(@D) && echo 'link $@'
	@$(LINK) -o $@ $^ $(CRYPTO_LIBS)
-include $(wildcard $(BUILD)/docs/examples/*.d)

$(STREAMS): $(STREAMS).o $(BUILD)/tools/capture.o $(LIBRARY)
	@echo 'link $@'
	@$(LINK) -o $@ $^ $(CRYPTO_LIBS)

# An envelope of each mode, and two that are not what they should be.
PAGES := 006_mode1_alice_bob_621 204_mode2_file 048_mode1_bad_L_huge 135_mode2_bad_magic
tools-check: $(PROGRAMS) $(STREAMS) ## try sam with tshark, chromium, mandoc, bash and zsh
	@SAM_BIN=$(or $(BIN),./) tests/wireshark.sh $(BUILD)
	@mkdir -p $(BUILD)/pages && for vector in $(PAGES); do \
	  $(SAM) explain --quiet tests/vectors/$$vector.sam --out $(BUILD)/pages/$$vector.html; done
	@tests/pages.sh $(PAGES:%=$(BUILD)/pages/%.html)
	@tests/manual.sh $(or $(BIN),./)

labs-check: handout ## try the students' archive as a class would
	@tests/labs.sh $(BUILD)/sam-labs.tar.gz

docs-check: all ## run every command of the documents and compare what it prints
	@tests/docs.sh

format: ## lay the C files out as .clang-format says
	clang-format -i $(C_FILES) $(H_FILES)

.PHONY: check asan tsan valgrind coverage lint everything examples tools-check labs-check docs-check format
