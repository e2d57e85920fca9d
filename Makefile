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
COMPILE   = $(CC) $(STANDARD) $(WARN) -Ishared -Itools -fPIC -pthread -MMD -MP $(CRYPTO_CFLAGS) \
            $(CPPFLAGS) $(CFLAGS) -c
LINK      = $(CC) $(CFLAGS) -pthread $(HARDEN) $(LDFLAGS)

# 3.0.8 is the first whose RSA decryption does not tell by its time why it failed (CVE-2022-4304).
need = $(if $(shell $(PKG_CONFIG) --exists '$(1)' 2>/dev/null && echo yes),,$(error \
       $(2) is missing: install it with make deps))
CRYPTO_CFLAGS = $(call need,libcrypto >= 3.0.8,OpenSSL 3.0.8 or later with its headers)$(shell \
                $(PKG_CONFIG) --cflags libcrypto)
CRYPTO_LIBS   = $(shell $(PKG_CONFIG) --libs libcrypto)
# For what may stand around a connection (shared/tls.c).
TLS_LIBS      = $(call need,libssl >= 3.0.8,OpenSSL's libssl 3.0.8 or later)$(shell \
                $(PKG_CONFIG) --libs libssl)
CHECK_CFLAGS  = $(call need,check >= 0.15,Check 0.15 or later)$(shell $(PKG_CONFIG) --cflags check)
CHECK_LIBS    = $(shell $(PKG_CONFIG) --libs check)

LIBRARY  := $(BUILD)/libsam.a
SEALS    := $(MODES:%=$(BUILD)/%/seal.o)
SAM      := $(BIN)tools/sam
PROGRAMS := $(foreach m,$(MODES),$(BIN)$(m)/client $(BIN)$(m)/server) $(SAM)
objects   = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)/*.c))

all: $(PROGRAMS) ## build the client and the server of both modes, and sam
	@:

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' \
	  $(MAKEFILE_LIST)

deps: ## install what building, demo and check need
	@tools/deps.sh

deps-dev: ## install what the other targets need
	@tools/deps.sh dev

deps-bench: ## install what make bench compares with
	@tools/deps.sh bench

$(BUILD)/%.o: %.c
	@mkdir -p $(@D) && echo 'compile $<'
	@$(COMPILE) -o $@ $<

$(LIBRARY): $(call objects,shared)
	@echo 'archive $@'
	@rm -f $@ && $(AR) rcs $@ $^

define mode_programs
$(BIN)$(1)/client $(BIN)$(1)/server: $(BIN)$(1)/%: $(BUILD)/$(1)/%.o $(BUILD)/$(1)/seal.o $(LIBRARY)
	@mkdir -p $$(@D) && echo 'link $$@'
	@$$(LINK) -o $$@ $$^ $$(TLS_LIBS) $$(CRYPTO_LIBS)
endef
$(foreach m,$(MODES),$(eval $(call mode_programs,$(m))))

keys: keys/server.private.pem keys/client.private.pem ## make the pairs of server and client, where missing
	@:
keys/%.private.pem: | $(BIN)$(MODE)/client
	@$(BIN)$(MODE)/client generate_key_pair --keys keys --name $*

certs: ## make the lab's small CA and the server's certificate
	@tools/certs.sh keys/tls

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

include labs/labs.mk
include tests/check.mk

# Every program has its manual page and its completion under its own name; those of a kind share one.
TO        := $(DESTDIR)$(PREFIX)
MAN       := share/man/man1
BASH      := share/bash-completion/completions
ZSH       := share/zsh/site-functions
NAMES     := sam $(foreach side,client server,$(MODES:%=sam-$(side)-%))
INSTALLED := $(NAMES:%=bin/%) $(NAMES:%=$(MAN)/%.1) $(NAMES:%=$(BASH)/%) $(ZSH)/_sam \
             $(MAN)/sam-client.1 $(MAN)/sam-server.1

install: $(PROGRAMS) ## install programs, manual pages and completions below PREFIX
	@mkdir -p $(TO)/bin $(TO)/$(MAN) $(TO)/$(BASH) $(TO)/$(ZSH)
	@install -m 755 $(SAM) $(TO)/bin/sam
	@install -m 644 docs/man/*.1 $(TO)/$(MAN)
	@install -m 644 tools/completion/sam.bash $(TO)/$(BASH)/sam
	@install -m 644 tools/completion/_sam $(TO)/$(ZSH)
	@for mode in $(MODES); do for side in client server; do name=sam-$$side-$$mode; \
	  install -m 755 $(BIN)$$mode/$$side $(TO)/bin/$$name; \
	  ln -sf sam-$$side.1 $(TO)/$(MAN)/$$name.1; \
	  ln -sf sam $(TO)/$(BASH)/$$name; \
	done; done
	@printf 'install $(TO)/%s\n' $(INSTALLED)

uninstall: ## remove what install installed
	rm -f $(INSTALLED:%=$(TO)/%)

clean: ## remove what was made, but no key
	rm -rf $(BUILD) $(PROGRAMS)

.PHONY: all help deps deps-dev deps-bench keys certs wiretap demo install uninstall clean
.DELETE_ON_ERROR:
ifneq ($(filter deps%,$(MAKECMDGOALS)),)
.NOTPARALLEL: # nothing can be built before its packages are there
endif
-include $(wildcard $(BUILD)/*/*.d $(BUILD)/*/*/*.d)
