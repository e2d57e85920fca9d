# The course (labs.md): included by the Makefile at the top.
LABS     := $(notdir $(patsubst %/,%,$(sort $(wildcard labs/[0-9]*/))))
GRADER   := $(BUILD)/labs/grade
RESULTS  ?= $(BUILD)/labs/results.json
LAB_LIBS := $(if $(filter Linux,$(shell uname -s)),-ldl)

$(BUILD)/labs/%.o: COMPILE += $(CHECK_CFLAGS) -Ilabs
GRADER_C := $(filter-out %/student.c,$(wildcard labs/*.c labs/[0-9]*/*.c))
$(GRADER): $(GRADER_C:%.c=$(BUILD)/%.o) $(patsubst %,$(BUILD)/tests/%.o,support process peer) \
           $(SEALS) $(LIBRARY)
	@echo 'link $@'
	@$(LINK) -o $@ $^ $(CHECK_LIBS) $(CRYPTO_LIBS) $(LAB_LIBS)

# What a student writes becomes a shared object, with the flawed variant and a library of its own:
# nothing in it can take the place of what the grader uses.
LAB_HEADERS := $(wildcard labs/*.h labs/*/*.h shared/*.h)
LAB_COMPILE  = $(CC) $(STANDARD) $(LAB_WARN) $(CRYPTO_CFLAGS) $(CPPFLAGS) $(CFLAGS) -fPIC -pthread \
               -shared -Ishared -Ilabs
LAB_WARN     = $(WARN)
# Of these a student hears who has a mistake, not who writes as a book does.
$(BUILD)/labs/student/%: LAB_WARN = -Wall -Wextra -Wno-unused-parameter -Wno-sign-compare
define lab_objects
$(BUILD)/labs/$(1)/%.so: $(2) labs/%/flawed.c $(SEALS) $(LIBRARY) $(LAB_HEADERS) $(4)
	@mkdir -p $$(@D) && rm -f $$@ && echo 'compile $$<'
	@$(5)$(LAB_COMPILE) -Ilabs/$$* -o $$@.$$$$$$$$ $$(filter %.c %.o %.a,$$^) $(CRYPTO_LIBS) && \
	  mv $$@.$$$$$$$$ $$@$(6)
$(BUILD)/labs/$(1)/%.txt: $(3) $(4)
	@mkdir -p $$(@D) && rm -f $$@ && cp $$< $$@$(6)
endef
# A student's file is taken as it is now, whatever its time says. One that cannot be taken is told and
# left out: it costs its own lab, and no other. The compiler has a minute for it.
$(eval $(call lab_objects,student,labs/%/student.c,labs/%/answers.txt,FORCE,ulimit -t 60; , || :))
$(eval $(call lab_objects,stubs,labs/stubs/%.c,labs/stubs/%.txt))
$(eval $(call lab_objects,solutions,labs/solutions/%.c,labs/solutions/%.txt))
FORCE:
lab_files = $(patsubst labs/$(1)/%.c,$(BUILD)/labs/$(1)/%.so,$(wildcard labs/$(1)/*.c)) \
            $(patsubst labs/$(1)/%.txt,$(BUILD)/labs/$(1)/%.txt,$(wildcard labs/$(1)/*.txt))
STUDENT = $(patsubst $(BUILD)/labs/stubs/%,$(BUILD)/labs/student/%,$(call lab_files,stubs))

# The file to work in is made from its stub, and is the student's from then on. (Rules that name each
# file: one that only patterns lead to could be missing, and make would not mind.)
$(patsubst labs/stubs/%.c,labs/%/student.c,$(wildcard labs/stubs/*.c)): labs/%/student.c:
	@cp labs/stubs/$*.c $@ || :
$(patsubst labs/stubs/%.txt,labs/%/answers.txt,$(wildcard labs/stubs/*.txt)): labs/%/answers.txt:
	@cp labs/stubs/$*.txt $@ || :

# A submission that does what MISBEHAVE says, for the tests of the grader.
HOSTILE := $(patsubst %,$(BUILD)/labs/hostile/%.so,leave leave_at_once never_end take_memory \
           be_root_first fork_bomb)
$(HOSTILE): tests/labs/hostile.c $(LAB_HEADERS)
	@mkdir -p $(@D) && echo 'compile $<: $(basename $(@F))'
	@$(LAB_COMPILE) -Ilabs/02_fail_open -DMISBEHAVE=$(basename $(@F)) -o $@ $<
GRADED := $(GRADER) $(call lab_files,stubs) $(call lab_files,solutions) $(HOSTILE)

# L is a lab's number, 4 or 04.
LAB = $(or $(filter $(L)_% 0$(L)_%,$(LABS)),$(error L is one of \
      $(foreach l,$(LABS),$(firstword $(subst _, ,$(l)))): make $@ L=04))

GRADE = SAM_BIN=$(or $(BIN),./) $(GRADER)
lab: $(GRADER) $(PROGRAMS) ## build and grade one lab: L=04
	@$(MAKE) --silent $(filter %/$(LAB).so %/$(LAB).txt,$(STUDENT))
	@if [ -e $(filter %/$(LAB).so %/$(LAB).txt,$(STUDENT)) ]; then \
	  $(GRADE) $(BUILD)/labs/student $(LAB) || [ $$? = 1 ]; else \
	  echo 'It does not compile: mend the first error above. Nothing was graded.'; fi

grade: $(GRADER) $(PROGRAMS) $(STUDENT) ## grade all labs; the results for programs go to RESULTS
	@rm -f '$(RESULTS)'
	@$(GRADE) --results '$(RESULTS)' $(BUILD)/labs/student

hint: ## the next hint of lab L
	@labs/course.sh hint $(LAB) $(BUILD)

reset: ## start lab L again; what was written is kept beside it
	@labs/course.sh reset $(LAB) $(BUILD)

status: ## how far each lab is
	@labs/course.sh status '$(LABS)' $(BUILD)

handout: ## the archive for students, without the solutions
	@labs/handout.sh $(BUILD)

.PHONY: lab grade hint reset status handout FORCE
