# How a mode's programs are run, from the top and from the mode's own directory. HERE is the
# directory of the programs, KEYS that of the keys.
PORT ?= 8000
CMD  ?= send_msg
MSG  ?= hello
ARGS ?=

# MSG is any text, so make must never expand it: the shell takes it from the environment.
unexport MSG
export SAM_MSG := $(value MSG)

run-server: all keys ## run MODE's server on PORT, with ARGS="--chat" and such
	@$(HERE)/server --keys $(KEYS) --port $(PORT) $(ARGS)

run-client: all keys ## run MODE's client: send MSG, or CMD=recv_msg, CMD=chat, CMD= (line by line)
	@$(HERE)/client --keys $(KEYS) --port $(PORT) $(ARGS) $(CMD) $(if $(filter send_msg,$(CMD)),-- "$$SAM_MSG")

.PHONY: run-server run-client
