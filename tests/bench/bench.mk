# How near to the limit it comes.
BENCH := $(BUILD)/bench/bench

$(BENCH): $(filter-out %/load.o,$(call objects,tests/bench)) $(SEALS) $(LIBRARY)
	@mkdir -p $(@D) && echo 'link $@'
	@$(LINK) -o $@ $^ $(CRYPTO_LIBS)

# Load on a server that runs already, for tests/bench/proxy.sh.
LOAD := $(BUILD)/bench/load
$(LOAD): $(addprefix $(BUILD)/tests/bench/,load.o caller.o figure.o together.o) $(SEALS) $(LIBRARY)
	@mkdir -p $(@D) && echo 'link $@'
	@$(LINK) -o $@ $^ $(CRYPTO_LIBS)

bench: $(BENCH) $(LOAD) $(PROGRAMS) ## measure it against its limits and others; QUICK=1, JSON=1
	@CC='$(CC)' CFLAGS='$(CFLAGS)' QUICK=$(QUICK) JSON=$(JSON) tests/bench/bench.sh $(BUILD) $(or $(BIN),./)

.PHONY: bench
