# What lets the programs' calls fail, for the suite faults. It is no part of any program, so it is built without their flags and sanitizers.
SHIM := $(BUILD)/tests/shim.so

$(SHIM): tests/torture/shim/shim.c tests/torture/shim/order.h
	@mkdir -p $(@D) && echo 'link $@'
	@$(CC) $(STANDARD) $(WARN) -O2 -shared -fPIC -o $@ $< -ldl -pthread
