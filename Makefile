# One front door: `make help` lists what there is.
MODES := asymmetric_only asymmetric_symmetric
MODE  ?= asymmetric_symmetric

CC         ?= cc
CLANG      ?= clang
PKG_CONFIG ?= pkg-config
CFLAGS     ?= -O2 -g -fstack-protector-strong -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
PREFIX     ?= /usr/local
DESTDIR    ?=

# BUILD holds what is made. BIN, empty or ending in a slash, is where the modes' programs go.
BUILD ?= build
BIN   ?=

comma    := ,
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wvla
STANDARD := -std=c11 -D_XOPEN_SOURCE=700 -DOPENSSL_NO_DEPRECATED -DOPENSSL_API_COMPAT=30000
HARDEN   := $(if $(filter Linux,$(shell uname -s)),-pie -Wl$(comma)-z$(comma)relro$(comma)-z$(comma)now)
COMPILE   = $(CC) $(STANDARD) $(WARN) -Ishared -Itools -fPIE -pthread -MMD -MP $(CRYPTO_CFLAGS) \
            $(CPPFLAGS) $(CFLAGS) -c
LINK      = $(CC) $(CFLAGS) -pthread $(HARDEN) $(LDFLAGS)

# 3.0.8 is the first whose RSA decryption does not tell by its time why it failed (CVE-2022-4304).
need = $(if $(shell $(PKG_CONFIG) --exists '$(1)' 2>/dev/null && echo yes),,$(error \
       $(2) is missing: install it with make deps))
CRYPTO_CFLAGS = $(call need,libcrypto >= 3.0.8,OpenSSL 3.0.8 or later with its headers)$(shell \
                $(PKG_CONFIG) --cflags libcrypto)
CRYPTO_LIBS   = $(shell $(PKG_CONFIG) --libs libcrypto)
CHECK_CFLAGS  = $(call need,check >= 0.15,Check 0.15 or later)$(shell $(PKG_CONFIG) --cflags check)
CHECK_LIBS    = $(shell $(PKG_CONFIG) --libs check)

LIBRARY  := $(BUILD)/libsam.a
SEALS    := $(MODES:%=$(BUILD)/%/seal.o)
SAM      := $(BIN)tools/sam
PROGRAMS := $(foreach m,$(MODES),$(BIN)$(m)/client $(BIN)$(m)/server) $(SAM)
TESTS    := $(BUILD)/tests/check_sam
objects   = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)/*.c))

all: $(PROGRAMS) ## build the client and the server of both modes, and sam
	@:

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' \
	  Makefile shared/run.mk

deps: ## install what building, demo and check need
	@tools/deps.sh

deps-dev: ## install what the other targets need
	@tools/deps.sh dev

$(BUILD)/%.o: %.c
	@mkdir -p $(@D) && echo 'compile $<'
	@$(COMPILE) -o $@ $<

$(LIBRARY): $(call objects,shared)
	@echo 'archive $@'
	@$(AR) rcs $@ $^

define mode_programs
$(BIN)$(1)/client $(BIN)$(1)/server: $(BIN)$(1)/%: $(BUILD)/$(1)/%.o $(BUILD)/$(1)/seal.o $(LIBRARY)
	@mkdir -p $$(@D) && echo 'link $$@'
	@$$(LINK) -o $$@ $$^ $$(CRYPTO_LIBS)
endef
$(foreach m,$(MODES),$(eval $(call mode_programs,$(m))))

keys: keys/server.private.pem keys/client.private.pem ## make the pairs of server and client, where missing
	@:
keys/%.private.pem: | $(BIN)$(MODE)/client
	@$(BIN)$(MODE)/client generate_key_pair --keys keys --name $*

$(if $(filter $(MODE),$(MODES)),,$(error MODE is one of $(MODES), not $(MODE)))
HERE := $(BIN)$(MODE)
KEYS := keys
include shared/run.mk

$(SAM): $(call objects,tools) $(SEALS) $(LIBRARY)
	@mkdir -p $(@D) && echo 'link $@'
	@$(LINK) -o $@ $^ $(CRYPTO_LIBS)

TAP   ?= 8001
RULES ?=
wiretap: $(PROGRAMS) ## stand between: listen on TAP, pass on to PORT, attack by RULES="--flip tag"
	@$(SAM) wiretap --listen $(TAP) --to 127.0.0.1:$(PORT) $(RULES)

demo: $(PROGRAMS) ## see a message travel in both modes: seen, tampered with, replayed, compared
	@tools/demo.sh $(BUILD)

$(BUILD)/tests/%.o: COMPILE += $(CHECK_CFLAGS)
# Of sam all but its main; of the tests all but what makes captures for tests/wireshark.sh.
$(TESTS): $(filter-out %/wireshark_streams.o,$(call objects,tests)) \
          $(filter-out %/sam.o,$(call objects,tools)) $(SEALS) $(LIBRARY)
	@echo 'link $@'
	@$(LINK) -o $@ $^ $(CHECK_LIBS) $(CRYPTO_LIBS)

check: $(TESTS) $(PROGRAMS) ## run the tests; SUITES="wire keys" runs some of them
	@SAM_BIN=$(or $(BIN),./) $(TESTS) $(SUITES)

# The same tests on programs built another way, in folders of their own.
variant = @$(MAKE) --no-print-directory $(2) BUILD=$(BUILD)/$(1) BIN=$(BUILD)/$(1)/ \
          CFLAGS='-O1 -g -fno-omit-frame-pointer $(3)'

asan: ## run the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	$(call variant,asan,check,-fsanitize=address$(comma)undefined -fno-sanitize-recover=all)

tsan: export TSAN_OPTIONS := atexit_sleep_ms=20# each of thousands of processes would sleep a second
tsan: ## run the tests under ThreadSanitizer
	$(call variant,tsan,check,-fsanitize=thread)

VALGRIND := valgrind --quiet --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite
valgrind: $(TESTS) $(PROGRAMS) ## run the tests of the library under valgrind's memcheck
	SAM_BIN=$(or $(BIN),./) CK_TIMEOUT_MULTIPLIER=30 CK_EXCLUDE_TAGS=slow $(VALGRIND) $(TESTS) \
	  $(or $(SUITES),status bytes file primitives rsa wire keys show envelope vectors connection)

coverage: ## run the tests and tell which lines of shared/ and the seals they reach
	$(call variant,coverage,check,--coverage)
	gcovr --root . --object-directory $(BUILD)/coverage --exclude-throw-branches --print-summary \
	  --filter shared/ --filter 'asymmetric_.*/seal.c' --html-details $(BUILD)/coverage/index.html

C_FILES := $(wildcard shared/*.c asymmetric_*/*.c tools/*.c tests/*.c)
H_FILES := $(wildcard shared/*.h tools/*.h tests/*.h)
lint: ## compile with gcc and clang, warnings as errors; -fanalyzer, clang-tidy, cppcheck, shellcheck
	@$(MAKE) --no-print-directory everything BUILD=$(BUILD)/lint-gcc BIN=$(BUILD)/lint-gcc/ \
	  CC=gcc CFLAGS='-O2 -Werror -fanalyzer'
	@$(MAKE) --no-print-directory everything BUILD=$(BUILD)/lint-clang BIN=$(BUILD)/lint-clang/ \
	  CC=$(CLANG) CFLAGS='-O2 -Werror'
	clang-format --dry-run --Werror $(C_FILES) $(H_FILES)
	clang-tidy --quiet $(filter-out tests/%,$(C_FILES)) -- $(STANDARD) -Ishared -Itools $(CRYPTO_CFLAGS) 2>/dev/null
	cppcheck --quiet --error-exitcode=1 --inline-suppr --enable=warning,performance,portability \
	  --std=c11 -D_XOPEN_SOURCE=700 -Ishared -Itools $(filter-out tests/%,$(C_FILES))
	shellcheck tools/*.sh tests/*.sh .ci/run
everything: $(PROGRAMS) $(TESTS) $(STREAMS)

STREAMS := $(BUILD)/tests/wireshark_streams
$(STREAMS): $(STREAMS).o $(BUILD)/tools/capture.o $(LIBRARY)
	@echo 'link $@'
	@$(LINK) -o $@ $^ $(CRYPTO_LIBS)

tools-check: $(PROGRAMS) $(STREAMS) ## try sam with tshark, chromium, mandoc, bash and zsh
	@tests/wireshark.sh $(BUILD)
	@tests/pages.sh
	@tests/manual.sh

docs-check: all ## run every command of the documents and compare what it prints
	@tests/docs.sh

format: ## lay the C files out as .clang-format says
	clang-format -i $(C_FILES) $(H_FILES)

install: $(PROGRAMS) ## install the programs below PREFIX, as sam-client-MODE and sam-server-MODE
	@mkdir -p $(DESTDIR)$(PREFIX)/bin
	@for mode in $(MODES); do for program in client server; do \
	  echo "install $(DESTDIR)$(PREFIX)/bin/sam-$$program-$$mode"; \
	  install -m 755 $(BIN)$$mode/$$program $(DESTDIR)$(PREFIX)/bin/sam-$$program-$$mode; \
	done; done

uninstall: ## remove what install installed
	rm -f $(foreach m,$(MODES),$(DESTDIR)$(PREFIX)/bin/sam-client-$(m) $(DESTDIR)$(PREFIX)/bin/sam-server-$(m))

clean: ## remove what was made, but no key
	rm -rf $(BUILD) $(PROGRAMS)

.PHONY: all help deps deps-dev keys wiretap demo check asan tsan valgrind coverage lint everything \
        tools-check docs-check format install uninstall clean
.DELETE_ON_ERROR:
ifneq ($(filter deps deps-dev,$(MAKECMDGOALS)),)
.NOTPARALLEL: # nothing can be built before its packages are there
endif
-include $(wildcard $(BUILD)/*/*.d)
