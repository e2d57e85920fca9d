# Whether what we do with secrets takes a time that depends on them.
CONSTANT_TIME := $(BUILD)/tests/constant_time/constant_time
# The functions of libcrypto that stand in tests/constant_time/border*.c, as the linker wants them.
BORDER = $(shell sed -n 's/^\(BORDER\|DECODER\).[^,]*, \([A-Za-z0-9_]*\).*/-Wl,--wrap=\2/p' \
                 tests/constant_time/border*.c)

$(BUILD)/tests/constant_time/%.o: COMPILE += -Itests
$(CONSTANT_TIME): $(call objects,tests/constant_time) $(BUILD)/libtests.a $(SEALS) $(LIBRARY)
	@echo 'link $@'
	@$(LINK) $(BORDER) -o $@ $^ $(CHECK_LIBS) $(CRYPTO_LIBS)

constant-time: $(CONSTANT_TIME) ## no branch depends on a secret, by valgrind
	$(call need_tool,valgrind)
	@valgrind --quiet --error-exitcode=99 $(CONSTANT_TIME)

.PHONY: constant-time
