# shellcheck shell=bash disable=SC2034,SC2154 # who sources this uses one, and sets the other
# The tools that sam is compared with, and sam itself. Sourced, with $sam and $client set, in a folder
# of its own that holds the messages to seal.
#
# Of each tool NAME there are: NAME_keys, which makes keys for alice, who signs, and bob, who is to
# read; NAME_seal FILE, which makes FILE.NAME signed by alice and encrypted for bob; NAME_open FILE,
# which makes FILE.NAME.out out of it and verifies alice's signature. Each is the shortest way that
# its manual shows. RSA keys have 3072 bits.
set -o pipefail

declare -A words=([sam]=sam [cms]='openssl cms' [age]='age + minisign' [gpg]=gpg [jose]=jose)
declare -A needs=([sam]='' [cms]=openssl [age]='age age-keygen minisign' [gpg]='gpg gpgconf' [jose]=jose)

sam_keys() {
    for name in alice bob; do
        "$client" generate_key_pair --quiet --keys keys --name "$name" --bits 3072 || return 1
    done
}
# Written as the shell's > does, which is what the other tools' options for a file do, too.
sam_seal() { "$sam" seal --quiet --mode 2 --keys keys --from alice --to bob --in "$1" >"$1.sam"; }
sam_open() { "$sam" open --quiet --keys keys --in "$1.sam" >"$1.sam.out"; }
# With --out the file is seen onto the disk before it gets its name.
synced_seal() {
    "$sam" seal --quiet --mode 2 --keys keys --from alice --to bob --in "$1" --out "$1.synced"
}
synced_open() { "$sam" open --quiet --keys keys --in "$1.sam" --out "$1.synced.out"; }

cms_keys() {
    for name in alice bob; do
        openssl req -x509 -newkey rsa:3072 -nodes -keyout "$name.key" -out "$name.crt" \
            -subj "/CN=$name" -days 2 || return 1
    done
}
cms_seal() {
    openssl cms -sign -binary -nodetach -outform DER -md sha256 -signer alice.crt -inkey alice.key \
        -keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:32 -in "$1" |
        openssl cms -encrypt -binary -aes-256-gcm -outform DER -recip bob.crt \
            -keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256 -out "$1.cms"
}
cms_open() {
    openssl cms -decrypt -binary -inform DER -recip bob.crt -inkey bob.key -in "$1.cms" |
        openssl cms -verify -binary -inform DER -CAfile alice.crt -purpose any -out "$1.cms.out"
}

# No RSA: X25519 and Ed25519. What is signed is what was encrypted, which needs no archive of two
# files, and is the quickest.
age_keys() {
    age-keygen -o bob.age || return 1
    age_recipient=$(age-keygen -y bob.age) && minisign -G -W -p alice.pub -s alice.minisign
}
age_seal() {
    age -r "$age_recipient" -o "$1.age" "$1" && minisign -S -q -s alice.minisign -m "$1.age"
}
age_open() {
    minisign -V -q -p alice.pub -m "$1.age" && age -d -i bob.age -o "$1.age.out" "$1.age"
}

# Without its compression, which random bytes would only slow down. The agent, which has the private
# keys, goes on running from one call to the next.
gpg_keys() {
    mkdir -m 700 gnupg || return 1
    export GNUPGHOME=$PWD/gnupg
    for name in alice bob; do
        gpg --batch --quiet --passphrase '' --quick-generate-key "$name@example.org" rsa3072 \
            sign,encrypt never || return 1
    done
}
gpg_seal() {
    gpg --batch --quiet --yes --trust-model always -z 0 --sign --encrypt -u alice@example.org \
        -r bob@example.org -o "$1.gpg" "$1"
}
gpg_open() {
    gpg --batch --quiet --yes --trust-model always -o "$1.gpg.out" --decrypt "$1.gpg"
}
gpg_stop() { [ ! -d gnupg ] || gpgconf --homedir "$PWD/gnupg" --kill gpg-agent || true; }

# jose 11 built with OpenSSL 3 has lost its OAEP. RSA1_5 then stands for it, no example to follow,
# but it takes the same time.
jose_keys() {
    jose jwk gen -i '{"alg":"PS256","bits":3072,"kty":"RSA"}' -o alice.jwk &&
        jose jwk pub -i alice.jwk -o alice.pub.jwk || return 1
    jose_wrap=RSA-OAEP-256
    if ! jose alg | grep -q "$jose_wrap"; then
        jose_wrap=RSA1_5
        words[jose]='jose (RSA1_5)'
    fi
    jose jwk gen -i '{"bits":3072,"kty":"RSA"}' -o bob.jwk && jose jwk pub -i bob.jwk -o bob.pub.jwk
}
jose_seal() {
    jose jws sig -I "$1" -k alice.jwk -c |
        jose jwe enc -I - -i '{"protected":{"alg":"'"$jose_wrap"'","enc":"A256GCM"}}' \
            -k bob.pub.jwk -c -o "$1.jose"
}
jose_open() {
    jose jwe dec -i "$1.jose" -k bob.jwk | jose jws ver -i - -k alice.pub.jwk -O "$1.jose.out"
}
