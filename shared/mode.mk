# What the Makefiles of both modes do. The top one builds; these run, in the mode of their directory.
THIS := $(notdir $(CURDIR))
ifneq ($(or $(MODE),$(THIS)),$(THIS))
  $(error This is $(THIS): for $(MODE) go there, or call make from the top)
endif
HERE := .
KEYS := ../keys

all keys clean:
	@$(MAKE) --no-print-directory -C .. $@
keys: all # one make at a time up there

# On its way to the other make, MSG would be expanded; what else was set goes by the environment.
MAKEOVERRIDES :=
include ../shared/run.mk

.PHONY: all keys clean
