# What tries to break it: included by tests/check.mk.
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
	@$(LINK) -o $@ $^ $(CHECK_LIBS) $(TLS_LIBS) $(CRYPTO_LIBS)

torture: $(TORTURE) $(PROGRAMS) ## try to break it: what it survives, with figures
	@SAM_BIN=$(or $(BIN),./) SAM_BUILD=$(BUILD) $(TORTURE) $(SUITES)

.PHONY: torture
