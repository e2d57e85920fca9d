# One front door: `make help` lists what there is.
MODES := asymmetric_only asymmetric_symmetric
MODE  ?= asymmetric_symmetric
PORT  ?= 8000
CMD   ?= send_msg
MSG   ?= hello

CC         ?= cc
CLANG      ?= clang
PKG_CONFIG ?= pkg-config
CFLAGS     ?= -O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2
PREFIX     ?= /usr/local
DESTDIR    ?=

# BUILD holds what is made. BIN, empty or ending in a slash, is where the modes' programs go.
BUILD ?= build
BIN   ?=

WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wvla
STANDARD := -std=c11 -D_XOPEN_SOURCE=700 -DOPENSSL_NO_DEPRECATED -DOPENSSL_API_COMPAT=30000
HARDEN   := $(if $(filter Linux,$(shell uname -s)),-pie -Wl,-z,relro -Wl,-z,now)
COMPILE   = $(CC) $(STANDARD) $(WARN) -Ishared -fPIE -pthread -MMD -MP \
            $(CRYPTO_CFLAGS) $(CPPFLAGS) $(CFLAGS)
LINK      = $(CC) $(CFLAGS) -pthread $(HARDEN) $(LDFLAGS)

# 3.0.8 is the first whose RSA decryption does not tell by its time why it failed (CVE-2022-4304).
need = $(if $(shell $(PKG_CONFIG) --exists '$(1)' 2>/dev/null && echo yes),,$(error $(2) is \
  missing. Install it with: make deps))
ifneq ($(filter-out help deps deps-dev clean format uninstall,$(or $(MAKECMDGOALS),all)),)
  ifeq ($(filter deps,$(MAKECMDGOALS)),)
    $(call need,libcrypto >= 3.0.8,OpenSSL 3.0.8 or later (its libcrypto and headers))
  endif
endif
CRYPTO_CFLAGS = $(shell $(PKG_CONFIG) --cflags libcrypto)
CRYPTO_LIBS   = $(shell $(PKG_CONFIG) --libs libcrypto)

LIBRARY  := $(BUILD)/libsam.a
PROGRAMS := $(foreach m,$(MODES),$(BIN)$(m)/client $(BIN)$(m)/server)
TESTS    := $(BUILD)/tests/check_sam

objects = $(patsubst %.c,$(BUILD)/%.o,$(wildcard $(1)/*.c))
SEALS  := $(foreach m,$(MODES),$(BUILD)/$(m)/seal.o)

.PHONY: all help deps deps-dev keys demo check run-server run-client asan tsan valgrind lint \
        coverage docs-check format install uninstall clean
.DELETE_ON_ERROR:

all: $(PROGRAMS) ## build the client and the server of both modes

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

deps: ## install what building, demo and check need
	@tools/deps.sh

deps-dev: ## install what the other targets need
	@tools/deps.sh dev

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

$(LIBRARY): $(call objects,shared)
	$(AR) rcs $@ $^

$(foreach p,client server,$(foreach m,$(MODES),$(eval $(BIN)$(m)/$(p): $(BUILD)/$(m)/$(p).o \
  $(BUILD)/$(m)/seal.o $(LIBRARY))))
$(PROGRAMS):
	@mkdir -p $(@D)
	$(LINK) -o $@ $^ $(CRYPTO_LIBS)

keys: keys/server.private.pem keys/client.private.pem ## make the pairs of server and client, where missing
keys/%.private.pem: | $(BIN)$(MODE)/client
	@$(BIN)$(MODE)/client generate_key_pair --keys keys --name $*

run-server: $(PROGRAMS) keys ## run MODE's server on PORT
	@$(BIN)$(MODE)/server --port $(PORT)

# MSG reaches the client as it was typed: make does not expand it, and the shell takes it from the
# environment.
unexport MSG
export SAM_MSG := $(value MSG)
run-client: $(PROGRAMS) keys ## run MODE's client: send_msg MSG, or CMD=recv_msg
	@$(BIN)$(MODE)/client --port $(PORT) $(if $(filter send_msg,$(CMD)),send_msg -- "$$SAM_MSG",$(CMD))

demo: $(PROGRAMS) $(BUILD)/tools/flip ## see a message travel in both modes, seen, tampered with, compared
	@tools/demo.sh

$(BUILD)/tools/flip: $(BUILD)/tools/flip.o $(LIBRARY)
	$(LINK) -o $@ $^ $(CRYPTO_LIBS)

$(TESTS): $(call objects,tests) $(SEALS) $(LIBRARY)
	$(call need,check >= 0.15,Check 0.15 or later)
	$(LINK) -o $@ $^ $(shell $(PKG_CONFIG) --libs check) $(CRYPTO_LIBS)
$(BUILD)/tests/%.o: COMPILE += $(shell $(PKG_CONFIG) --cflags check)

check: $(TESTS) $(PROGRAMS) ## run the tests; SUITES="wire keys" runs some
	SAM_BIN='$(or $(BIN),./)' $(TESTS) $(SUITES)

# The same tests on instrumented programs, in folders of their own.
instrumented = @$(MAKE) check BUILD=$(BUILD)/$(1) BIN=$(BUILD)/$(1)/ CFLAGS='-O1 -g -fno-omit-frame-pointer $(2)'
asan: ## run the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	$(call instrumented,asan,-fsanitize=address$(comma)undefined -fno-sanitize-recover=all)
tsan: ## run the tests under ThreadSanitizer
	$(call instrumented,tsan,-fsanitize=thread)
comma := ,

valgrind: $(TESTS) $(PROGRAMS) ## run the tests under valgrind's memcheck
	CK_FORK=no valgrind true

clean: ## remove what was made, but no key
	rm -rf $(BUILD) $(PROGRAMS)

-include $(wildcard $(BUILD)/*/*.d)
