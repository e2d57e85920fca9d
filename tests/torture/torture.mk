# What tries to break it, with figures. A suite each, in one program; the fuzzers and the search for
# branches on secrets beside it have targets of their own: tests/fuzz, tests/constant_time.
TORTURE := $(BUILD)/tests/torture_sam

$(BUILD)/tests/torture/%.o: COMPILE += -Itests
# What several suites share: of the tests, and of sam all but its main. As an archive, out of which
# only what is needed is linked.
$(BUILD)/libtests.a: $(filter-out %/main.o %/wireshark_streams.o,$(call objects,tests)) \
                     $(filter-out %/sam.o,$(call objects,tools))
	@echo 'archive $@'
	@rm -f $@ && $(AR) rcs $@ $^

$(TORTURE): $(call objects,tests/torture) $(BUILD)/libtests.a $(SEALS) $(LIBRARY)
	@echo 'link $@'
	@$(LINK) -Wl,--wrap=sam_gcm_new -o $@ $^ $(CHECK_LIBS) $(TLS_LIBS) $(CRYPTO_LIBS)

# What lets the programs' calls fail, for the suite faults. It is no part of any program, so it is
# built without their flags and sanitizers.
SHIM := $(BUILD)/tests/shim.so

$(SHIM): tests/torture/shim/shim.c tests/torture/shim/order.h
	@mkdir -p $(@D) && echo 'link $@'
	@$(CC) $(STANDARD) $(WARN) -O2 -shared -fPIC -o $@ $< -ldl -pthread

torture: fuzz constant-time survive ## try to break it; TORTURE_SCALE=15 does so less often

survive: $(TORTURE) $(SHIM) $(EXAMPLES) $(PROGRAMS) ## torture of the programs; SUITES="crowd faults"
	@SAM_BIN=$(or $(BIN),./) SAM_BUILD=$(BUILD) SAM_SHIM=$(SHIM) $(TORTURE) $(SUITES)

.PHONY: torture survive
