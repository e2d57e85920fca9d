# How many instructions sealing and opening take, by callgrind: the same on a busy machine.
COUNTED := $(BUILD)/perf/counted
$(COUNTED): $(BUILD)/tests/perf/counted.o $(SEALS) $(LIBRARY)
	@mkdir -p $(@D) && echo 'link $@'
	@$(LINK) -o $@ $^ $(CRYPTO_LIBS)

perf-check: $(COUNTED) ## instruction counts beside the record; RECORD=1 writes it
	$(call need_tool,valgrind)
	@CC='$(CC)' CFLAGS='$(CFLAGS)' tests/perf/check.sh $(if $(RECORD),--record )$(BUILD)

.PHONY: perf-check
