# What throws mutated bytes at every parser of foreign ones. It begins with tests/fuzz/corpus/NAME:
# samples of what is due, and found_NN, which mutations came upon and which reach further. The seed
# is fixed, but what is sealed meanwhile has random parts.
FUZZ_SECONDS ?= 60

# For each target the length of its longest input, and the files whose lines it is after.
FUZZ_wire       := 300 shared/wire.c shared/show.c
FUZZ_mode_1     := 2048 shared/envelope.c asymmetric_only/seal.c
FUZZ_mode_2     := 2048 shared/envelope.c asymmetric_symmetric/seal.c
FUZZ_pem        := 4096 shared/rsa.c
FUZZ_ring       := 1024 shared/keys.c
FUZZ_connection := 2048 shared/connection.c shared/session.c shared/transfer.c
FUZZ_tls        := 2048 tools/tls_records.c tools/tls_hello.c tools/tls_names.c
FUZZ_stream     := 2048 tools/stream.c
FUZZ_rules      := 1024 tools/rules.c
FUZZ_anatomy    := 4096 tools/anatomy.c tools/explain_claims.c tools/explain_parts.c tools/explain_page.c
FUZZ_TARGETS    := wire mode_1 mode_2 pem ring connection tls stream rules anatomy

# Functions in those files into which no foreign byte comes: they make, send or show what is ours.
FUZZ_BESIDES := sam_rejection_write sam_record_write sam_trace_step sam_trace_value sam_trace_secret \
                sam_envelope_start sam_envelope_seal fill_header seal layout part \
                sam_envelope_show sam_envelope_trace show_record trace_greeting \
                sam_connection_greet sam_connection_start sam_connection_seal sam_connection_send \
                sam_connection_seal_answer sam_connection_ask sam_connection_answer \
                sam_connection_push sam_connection_close sam_connection_reject start_with send_off \
                reason_for_close sam_write_unit sam_record_seal sam_rsa_generate lock \
                sam_key_generate check_place place_pair write_pair sam_fingerprint \
                sam_show_line save

FUZZ_FLAGS := -fsanitize=fuzzer-no-link$(comma)address$(comma)undefined -fno-sanitize-recover=all \
              -fprofile-instr-generate -fcoverage-mapping

fuzz: ## throw mutated bytes at every parser, FUZZ_SECONDS for each
	@mkdir -p $(BUILD) && echo 'int LLVMFuzzerTestOneInput(void); int LLVMFuzzerTestOneInput(void) { return 0; }' | \
	  $(CLANG) -fsanitize=fuzzer -x c -o $(BUILD)/fuzzer - 2> /dev/null || \
	  { echo 'clang with the runtime of its fuzzer is missing: install it with make deps-dev' >&2; exit 1; }
	$(call variant,fuzz,-j2 -k fuzz-run,$(FUZZ_FLAGS)) CC=$(CLANG)

fuzz-run: $(FUZZ_TARGETS:%=fuzz-run-%)
fuzz-run-%: $(BUILD)/fuzz_%
	@FUZZ_BESIDES='$(FUZZ_BESIDES)' CLANG=$(CLANG) tests/fuzz/run.sh $(BUILD) $* $(FUZZ_SECONDS) $(FUZZ_$*)

$(BUILD)/tests/fuzz/%.o: COMPILE += -Itests
# As an archive, out of which only what is needed is linked.
$(BUILD)/libfuzz.a: $(patsubst %,$(BUILD)/tests/%.o,chance fuzz/fuzzing fuzz/sealing fuzz/opening) \
                    $(filter-out %/sam.o,$(call objects,tools))
	@echo 'archive $@'
	@rm -f $@ && $(AR) rcs $@ $^

$(FUZZ_TARGETS:%=$(BUILD)/fuzz_%): $(BUILD)/fuzz_%: $(BUILD)/tests/fuzz/%.o $(BUILD)/libfuzz.a \
                                                     $(SEALS) $(LIBRARY)
	@echo 'link $@'
	@$(LINK) -fsanitize=fuzzer -o $@ $^ $(CRYPTO_LIBS)

.PHONY: fuzz fuzz-run
.SECONDARY: $(FUZZ_TARGETS:%=$(BUILD)/tests/fuzz/%.o)
