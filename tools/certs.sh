#!/bin/sh
# certs.sh FOLDER: makes what TLS around a connection needs (RFC 5280, RFC 9525): a small CA, and of
# it a certificate for a server on this machine and one for a client. Each has a key of its own: a
# pair that opens envelopes certifies nothing (docs/protocol.md, section 8). What is there already is
# never touched. All of it appears, or nothing.
set -eu
umask 077

folder=$1
if [ -e "$folder" ] || [ -L "$folder" ]; then
    for name in ca.pem server.pem server.key client.pem client.key; do
        [ -s "$folder/$name" ] || {
            echo "certs: $folder exists without $name: move the folder away, then make certs again" >&2
            exit 1
        }
    done
    echo "certs: $folder holds them already: move the folder away to make others"
    exit 0
fi
command -v openssl >/dev/null || {
    echo "certs: the openssl command is missing: install it with make deps-dev" >&2
    exit 1
}

mkdir -p "$(dirname "$folder")"
work=$(mktemp -d "$folder.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

cat >"$work/config" <<'END'
[req]
distinguished_name = name
prompt = no
[name]
CN = unused
[ca]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:localhost, IP:127.0.0.1, IP:::1
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectAltName = DNS:client
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END

# Runs openssl, whose chatter counts only when it fails.
quietly() {
    openssl "$@" 2>"$work/said" || {
        cat "$work/said" >&2
        exit 1
    }
}

new_key() { quietly genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$work/$1.key"; }

# issue NAME makes NAME's key and its certificate, valid for a year.
issue() {
    new_key "$1"
    quietly req -new -config "$work/config" -key "$work/$1.key" -subj "/CN=lab $1" \
        -out "$work/request"
    quietly x509 -req -in "$work/request" -CA "$work/ca.pem" -CAkey "$work/ca.key" \
        -set_serial "0x$(openssl rand -hex 16 | sed 's/^./4/')" -days 365 -sha256 \
        -extfile "$work/config" -extensions "$1" -out "$work/$1.pem"
    quietly verify -x509_strict -purpose "ssl$1" -CAfile "$work/ca.pem" "$work/$1.pem" >"$work/said"
}

new_key ca
quietly req -x509 -new -config "$work/config" -extensions ca -key "$work/ca.key" \
    -subj "/CN=lab CA" -days 3650 -sha256 -out "$work/ca.pem"
issue server
issue client
rm "$work/config" "$work/request" "$work/said"
chmod 644 "$work"/*.pem
chmod 755 "$work"
# mv would put ours inside a folder that somebody has made meanwhile.
[ ! -e "$folder" ] || {
    echo "certs: $folder has been made meanwhile" >&2
    exit 1
}
mv "$work" "$folder"
trap - EXIT

echo "certs: made $folder/ca.pem: what clients trust, with --tls"
echo "certs: made $folder/server.pem and server.key: for localhost, 127.0.0.1 and ::1, a year long"
echo "certs: made $folder/client.pem and client.key: for a server that asks for one"
echo "certs: whoever has ca.key, or one of the other keys, is whom it names: keep them secret"
