-- SPDX-License-Identifier: GPL-2.0-or-later
--
-- Wireshark and tshark, 4.0 and later, read the protocol of this project (docs/protocol.md) with
-- this file. Copy it to the folder that Help > About Wireshark > Folders calls "Personal Lua
-- Plugins", or name it on the command line:
--
--     tshark -X lua_script:tools/wireshark/sam.lua -r FILE -Y 'sam.kind == 1'
--
-- What begins as a unit does is recognised on every port. On the ports of the preference sam.ports
-- everything is taken for this protocol: there, bytes that begin no unit are shown as sam.unknown.
--
-- It has another licence than the rest of the project because Wireshark asks that of its plugins.

local sam = Proto("sam", "Secure Application Messages")

local ONE_MORE_SEGMENT = DESEGMENT_ONE_MORE_SEGMENT or 0x0fffffff
local FEWEST = 16 -- no unit is shorter; so many bytes tell how long one is
local MESSAGE_LIMIT = 2 ^ 30
local SALT, NONCE, TAG, OAEP_OVERHEAD = 16, 12, 16, 66
-- Wireshark gives lengths near 2^28 a meaning of their own. Whoever asks for less is asked again.
local MOST_TO_WAIT_FOR = 2 ^ 27
local SMALLEST_MODULUS, LARGEST_MODULUS = 256, 512
-- Wireshark gives up on a tree of a million items. So many blocks hold more than a server takes.
local MOST_BLOCKS = 100000

-- The units of the protocol, with the same names as everything else in the project shows.

local types = { [0x47] = "greeting", [0x45] = "envelope", [0x52] = "rejection", [0x53] = "record" }
local modes = { [1] = "asymmetric_only", [2] = "asymmetric_symmetric" }
local kinds = {
    [0] = "none", "send", "recv", "join", "reply", "push", "refuse", "session", "close",
}
local KIND_SESSION, KIND_CLOSE = 7, 8

local field = {
    magic = ProtoField.string("sam.magic", "magic"),
    type = ProtoField.char("sam.type", "type", base.HEX, types),
    version = ProtoField.uint8("sam.version", "version"),
    mode = ProtoField.uint8("sam.mode", "mode", base.DEC, modes),
    kind = ProtoField.uint8("sam.kind", "kind", base.DEC, kinds),
    reserved = ProtoField.uint64("sam.reserved", "reserved"),
    signature_length = ProtoField.uint16("sam.signature_length", "signature length"),
    block_length = ProtoField.uint16("sam.block_length", "block length"),
    body_length = ProtoField.uint32("sam.body_length", "body length"),
    sequence = ProtoField.uint32("sam.sequence", "sequence"),
    sent_at = ProtoField.absolute_time("sam.sent_at", "sent at", base.UTC),
    message_id = ProtoField.bytes("sam.message_id", "message id"),
    reference = ProtoField.bytes("sam.reference", "reference"),
    sender_key_id = ProtoField.bytes("sam.sender_key_id", "sender key id"),
    recipient_key_id = ProtoField.bytes("sam.recipient_key_id", "recipient key id"),
    max_message = ProtoField.uint32("sam.max_message", "max message"),
    challenge = ProtoField.bytes("sam.challenge", "challenge"),
    server_key_id = ProtoField.bytes("sam.server_key_id", "server key id"),
    length = ProtoField.uint32("sam.length", "length"),
    oaep_block = ProtoField.bytes("sam.oaep_block", "OAEP block"),
    signature = ProtoField.bytes("sam.signature", "signature"),
    wrapped_key = ProtoField.bytes("sam.wrapped_key", "wrapped key"),
    nonce = ProtoField.bytes("sam.nonce", "nonce"),
    ciphertext = ProtoField.bytes("sam.ciphertext", "ciphertext"),
    tag = ProtoField.bytes("sam.tag", "tag"),
    body = ProtoField.bytes("sam.body", "body"),
    unknown = ProtoField.bytes("sam.unknown", "unknown"),
    -- Not on the wire: the length that a unit claims, and what anyone can find wrong with it.
    unit_length = ProtoField.uint64("sam.unit_length", "unit length"),
    status = ProtoField.string("sam.status", "status"),
}
sam.fields = field

local function layout(name, fixed, fields)
    local all = {
        { "magic", 0, 3 }, { "type", 3, 1 }, { "version", 4, 1 },
        { "mode", 5, 1 }, { "kind", 6, 1 }, { "reserved", 7, 1 },
    }
    for _, one in ipairs(fields) do
        all[#all + 1] = one
    end
    return { name = name, fixed = fixed, fields = all }
end

local units = {
    [0x47] = layout("Greeting", 64, {
        { "max_message", 8, 4 }, { "reserved", 12, 4 }, { "challenge", 16, 16 },
        { "server_key_id", 32, 32 },
    }),
    [0x45] = layout("Envelope", 128, {
        { "signature_length", 8, 2 }, { "block_length", 10, 2 }, { "body_length", 12, 4 },
        { "sequence", 16, 4 }, { "reserved", 20, 4 }, { "sent_at", 24, 8 },
        { "message_id", 32, 16 }, { "reference", 48, 16 }, { "sender_key_id", 64, 32 },
        { "recipient_key_id", 96, 32 },
    }),
    [0x52] = layout("Rejection", 16, { { "reserved", 8, 8 } }),
    [0x53] = layout("Record", 16, { { "sequence", 8, 4 }, { "length", 12, 4 } }),
}
local GREETING, ENVELOPE, REJECTION, RECORD = units[0x47], units[0x45], units[0x52], units[0x53]

-- What can be wrong. The words are those of the status that the project's programs give.

local function fault(name, text, severity, group)
    return ProtoExpert.new("sam.bad." .. name, text, group or expert.group.PROTOCOL,
                           severity or expert.severity.ERROR)
end

local experts = {
    MAGIC = fault("magic", "These bytes begin no unit: another protocol"),
    TYPE = fault("type", "There is no unit of this type"),
    VERSION = fault("version", "Not version 1 of the protocol"),
    MODE = fault("mode", "Not a mode that this unit can have"),
    KIND = fault("kind", "Not a kind that this unit can have"),
    RESERVED = fault("reserved", "A reserved byte is not 0"),
    KEY_LENGTHS = fault("key_lengths", "An RSA modulus outside 256 to 512 bytes"),
    LENGTH = fault("length", "A length that the mode cannot produce, or one over every limit"),
    CHALLENGE = fault("challenge", "A challenge of zeros protects nobody from a replay",
                      expert.severity.WARN),
    TRUNCATED = fault("truncated", "The stream ended inside this unit"),
}
local not_captured = fault("not_captured", "The capture holds only a part of this unit",
                           expert.severity.NOTE, expert.group.UNDECODED)
local all_experts = { not_captured }
for _, one in pairs(experts) do
    all_experts[#all_experts + 1] = one
end
sam.experts = all_experts

local function is_zero(range)
    return not range:raw():find("[^\0]")
end

local function is_modulus(size)
    return size >= SMALLEST_MODULUS and size <= LARGEST_MODULUS
end

-- Whether a body of that length can be of the mode, with the longest message that there can be.
local function fits(mode, signature, block, length)
    if mode == 1 then
        local blocks = (length - signature) / block
        local most = math.ceil((SALT + MESSAGE_LIMIT) / (block - OAEP_OVERHEAD))
        return blocks >= 1 and blocks == math.floor(blocks) and blocks <= most
    end
    local least = block + NONCE + SALT + signature + TAG
    return length >= least and length <= least + MESSAGE_LIMIT
end

local function has_kind(unit, kind)
    if unit == ENVELOPE then
        return kind >= 1 and kind <= KIND_SESSION
    elseif unit == RECORD then
        return kind >= 1 and kind <= KIND_CLOSE and kind ~= KIND_SESSION
    end
    return kind == 0
end

-- Calls found(status, offset of the field, text) for all that is wrong with a fixed part, which is
-- there as a whole, in the order in which a receiver looks.
local function check(unit, fixed, found)
    local function number(at, size)
        return fixed(at, size):uint()
    end
    local function expect(good, status, at, text, ...)
        if not good then
            found(status, at, string.format(text, ...))
        end
    end
    local function expect_zero(at, size)
        expect(is_zero(fixed(at, size)), "RESERVED", at, "Reserved, but not 0")
    end
    local version, mode, kind = number(4, 1), number(5, 1), number(6, 1)
    local good_mode = modes[mode] ~= nil and (unit ~= RECORD or mode == 2)
    expect(version == 1, "VERSION", 4, "Version %d, not 1", version)
    expect(good_mode, "MODE", 5, "%s of mode %d: there is none", unit.name, mode)
    expect(has_kind(unit, kind), "KIND", 6, "%s of kind %d: there is none", unit.name, kind)
    expect_zero(7, 1)
    if unit == RECORD then
        local length = number(12, 4)
        expect(length >= TAG and length <= TAG + MESSAGE_LIMIT, "LENGTH", 12,
               "No message of up to 2^30 bytes gives a record of %d", length)
    elseif unit == GREETING then
        expect_zero(12, 4)
        expect(number(8, 4) <= MESSAGE_LIMIT, "LENGTH", 8, "Max message is over 2^30")
        expect(not is_zero(fixed(16, 16)), "CHALLENGE", 16, "The challenge is zero")
    elseif unit == REJECTION then
        expect_zero(8, 8)
    elseif unit == ENVELOPE then
        expect_zero(20, 4)
        local signature, block, length = number(8, 2), number(10, 2), number(12, 4)
        local good_signature, good_block = is_modulus(signature), is_modulus(block)
        expect(good_signature, "KEY_LENGTHS", 8, "S is %d, outside 256 to 512", signature)
        expect(good_block, "KEY_LENGTHS", 10, "B is %d, outside 256 to 512", block)
        if good_mode and good_signature and good_block then
            expect(fits(mode, signature, block, length), "LENGTH", 12,
                   "No message of up to 2^30 bytes gives a body of %d in mode %d", length, mode)
        end
    end
end

-- The first thing wrong with a fixed part, or nil.
local function first_fault(unit, fixed)
    local first
    check(unit, fixed, function(status)
        first = first or status
    end)
    return first
end

-- The parts of a body as {name, offset, size}. Whole is the length that the unit claims. Only the
-- body of a unit with nothing wrong in its fixed part can be divided; another one is called "body".
local function body_parts(unit, fixed, whole, good)
    local parts, at = {}, unit.fixed
    local function part(name, size)
        if size > 0 then
            parts[#parts + 1] = { name, at, size }
            at = at + size
        end
    end
    if good and unit == RECORD then
        part("ciphertext", whole - at - TAG)
        part("tag", TAG)
    elseif good and unit == ENVELOPE then
        local signature, block = fixed(8, 2):uint(), fixed(10, 2):uint()
        if fixed(5, 1):uint() == 1 then
            local blocks = (whole - at - signature) / block
            for _ = 1, math.min(blocks, MOST_BLOCKS) do
                part("oaep_block", block)
            end
            part("body", whole - signature - at) -- the blocks over that limit
            part("signature", signature)
        else
            part("wrapped_key", block)
            part("nonce", NONCE)
            part("ciphertext", whole - at - TAG)
            part("tag", TAG)
        end
    else
        part("body", whole - at)
    end
    return parts
end

-- Adds the field that begins at that offset of its unit; range may hold less than all of it.
local function add_field(branch, name, range, size)
    if range:len() == size and name == "sent_at" then
        local time = range:uint64()
        local seconds = (time / 1000):tonumber()
        return branch:add(field.sent_at, range,
                          NSTime.new(seconds, (time % 1000):tonumber() * 1000000))
    elseif range:len() == size or size > 8 then
        local item = branch:add(field[name], range)
        if name == "signature_length" or name == "block_length" then
            item:append_text(string.format(" (RSA %d)", 8 * range:uint()))
        end
        return item
    end
    -- A number that is not all there is none.
    local none = name == "sent_at" and NSTime.new(0, 0) or name == "reserved" and UInt64(0) or 0
    return branch:add(field[name], range, none):set_text(name:gsub("_", " ") .. ": cut short")
end

-- What begins at an offset: unit, nil where none does, the whole length that it claims, its status,
-- and how many bytes are missing where it is worth to wait for them.
local function look(tvb, offset)
    local there = tvb:len() - offset
    local start = tvb(offset, math.min(there, 4)):raw()
    if there < 4 and start == ("SAM"):sub(1, there) then
        return { status = "TRUNCATED", missing = ONE_MORE_SEGMENT }
    elseif there < 4 or start:sub(1, 3) ~= "SAM" then
        return { status = "MAGIC" }
    end
    local unit = units[start:byte(4)]
    if unit == nil then
        return { status = "TYPE" }
    elseif there < FEWEST then
        return { unit = unit, whole = FEWEST, status = "TRUNCATED", missing = ONE_MORE_SEGMENT }
    end
    local whole = unit.fixed + tvb(offset + 12, 4):uint()
    local missing
    if there < unit.fixed then
        missing = unit.fixed - there
    else
        local status = first_fault(unit, tvb(offset, unit.fixed))
        if status ~= nil then -- nobody waits for the rest of it
            return { unit = unit, whole = whole, status = status }
        elseif there >= whole then
            return { unit = unit, whole = whole, status = "OK" }
        end
        missing = math.min(whole - there, MOST_TO_WAIT_FOR)
    end
    return { unit = unit, whole = whole, status = "TRUNCATED", missing = missing }
end

local function add_info(pinfo, text, status)
    if status ~= "OK" then
        text = text .. " [" .. status .. "]"
    end
    pinfo.cols.protocol = "SAM"
    if pinfo.private["sam"] then -- not the first unit of this packet
        pinfo.cols.info:append("; " .. text)
    else
        pinfo.cols.info = text
        pinfo.private["sam"] = "1"
    end
end

local function show_unknown(tvb, pinfo, root, offset, found)
    local range = tvb(offset)
    local branch = root:add(sam, range)
    branch:add(field.unknown, range):add_proto_expert_info(experts[found.status])
    branch:add(field.status, found.status):set_generated()
    add_info(pinfo, string.format("Unknown, %d bytes", range:len()), found.status)
    return range:len()
end

local function show_parts(branch, range, found)
    local unit, items = found.unit, {}
    local function add(parts)
        for _, part in ipairs(parts) do
            local name, at, size = part[1], part[2], part[3]
            if at < range:len() then
                local there = math.min(size, range:len() - at)
                items[at] = add_field(branch, name, range(at, there), size)
            end
        end
    end
    add(unit.fields)
    if range:len() >= unit.fixed then
        local fixed = range(0, unit.fixed)
        local good = found.status == "OK" or found.status == "TRUNCATED"
        add(body_parts(unit, fixed, found.whole, good))
        check(unit, fixed, function(status, at, text)
            items[at]:add_proto_expert_info(experts[status], text)
        end)
    end
end

-- Shows what is found at an offset, or as much of it as is there, and returns how many bytes that
-- is. Ended tells that the stream ended in it.
local function show(tvb, pinfo, root, offset, found, ended)
    local unit = found.unit
    if unit == nil then
        return show_unknown(tvb, pinfo, root, offset, found)
    end
    local range = tvb(offset, math.min(found.whole, tvb:len() - offset))
    local branch = root:add(sam, range)
    show_parts(branch, range, found)
    branch:add(field.unit_length, UInt64(found.whole)):set_generated()
    branch:add(field.status, found.status):set_generated()
    if found.status == "TRUNCATED" then
        local why = ended and "the stream ended"
            or "the capture was cut short, or reassembly by TCP is off"
        branch:add_proto_expert_info(
            ended and experts.TRUNCATED or not_captured,
            string.format("%d of %d bytes are there: %s", range:len(), found.whole, why))
    end
    local text = unit.name
    if range:len() > 6 then
        if unit == ENVELOPE or unit == RECORD then
            text = text .. " " .. (kinds[range(6, 1):uint()] or "unknown")
        end
        text = string.format("%s, mode %d", text, range(5, 1):uint())
    end
    branch:append_text(", " .. text)
    add_info(pinfo, string.format("%s, %d bytes", text, range:len()), found.status)
    return range:len()
end

-- Wireshark shows nothing of a unit that it waits for in vain. So what has arrived of such a unit
-- is kept, and shown where the stream ends.

local stream_of, payload_of = Field.new("tcp.stream"), Field.new("tcp.payload")
local sequence_of, length_of = Field.new("tcp.seq_raw"), Field.new("tcp.len")
local fin_of, reset_of = Field.new("tcp.flags.fin"), Field.new("tcp.flags.reset")
local begun = {} -- by direction: the bytes, and the sequence number of the first
local cut = {} -- by packet: the bytes of the unit that was cut there

function sam.init()
    begun, cut = {}, {}
end

local function direction(pinfo)
    local stream = stream_of()
    return stream and string.format("%s %s %s", stream.value, pinfo.src, pinfo.src_port)
end

-- Takes note that a unit begins at an offset, nil: none, of what TCP has handed over: either what
-- was waited for, from its first byte on, or what is left of this packet, up to its last.
local function keep(tvb, pinfo, offset)
    local way = direction(pinfo)
    if way == nil or pinfo.visited then
        return
    end
    local last, sequence, length = begun[way], sequence_of().value, length_of().value
    begun[way] = nil
    if offset ~= nil then
        local first = sequence + length - tvb:len()
        if last and (first - last.first) % 2 ^ 32 < length then -- it ends in this packet
            first = last.first
        end
        begun[way] = { bytes = tvb(offset):bytes(), first = first + offset }
    end
end

-- Adds what this packet has of a unit that has begun, beyond what is kept already.
local function follow(pinfo)
    local way = next(begun) and direction(pinfo)
    local unit = way and begun[way]
    if not unit then
        return
    end
    local payload = payload_of()
    if payload then
        local have = (unit.first + unit.bytes:len() - sequence_of().value) % 2 ^ 32
        if have < payload.len then
            unit.bytes:append(payload.range(have, payload.len - have):bytes())
        end
    end
    local fin, reset = fin_of(), reset_of()
    if fin and fin.value or reset and reset.value then
        cut[pinfo.number] = unit.bytes
        begun[way] = nil
    end
end

local ends = Proto("sam_ends", "Secure Application Messages, units cut short")

function ends.dissector(_, pinfo, root)
    if not pinfo.visited then
        follow(pinfo)
    end
    local bytes = cut[pinfo.number]
    if bytes then
        local tvb = bytes:tvb("Unit cut short")
        show(tvb, pinfo, root, 0, look(tvb, 0), true)
    end
end

register_postdissector(ends)

local function dissect(tvb, pinfo, root)
    local offset, length = 0, tvb:len()
    local can_wait = pinfo.can_desegment > 0 and tvb:reported_len() == length
    while offset < length do
        local found = look(tvb, offset)
        if found.missing and can_wait then
            pinfo.desegment_offset = offset
            pinfo.desegment_len = found.missing
            keep(tvb, pinfo, offset)
            return length
        end
        offset = offset + show(tvb, pinfo, root, offset, found, false)
    end
    keep(tvb, pinfo, nil)
    return length
end

sam.dissector = dissect

sam:register_heuristic("tcp", function(tvb, pinfo, root)
    if tvb:len() < 5 or tvb(0, 3):raw() ~= "SAM" or not units[tvb(3, 1):uint()] or
        tvb(4, 1):uint() ~= 1 then
        return false
    end
    pinfo.conversation = sam -- later segments may begin inside a unit
    dissect(tvb, pinfo, root)
    return true
end)

local ports = DissectorTable.get("tcp.port")
local registered = ""
sam.prefs.ports = Pref.range("TCP ports", "8000-8001", "Ports on which everything is SAM", 65535)

local function register_ports()
    if registered ~= "" then
        ports:remove(registered, sam)
    end
    registered = sam.prefs.ports
    if registered ~= "" then
        ports:add(registered, sam)
    end
end

sam.prefs_changed = register_ports
register_ports()
