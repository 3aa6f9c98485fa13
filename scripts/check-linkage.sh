#!/usr/bin/env bash
# Fails if the agent links more than it says: only the C libraries named below, no Swift runtime
# library, and no part of the full Foundation (its ICU tables alone are some 40 MB).
#
#   scripts/check-linkage.sh [BINARY]     an unstripped, statically linked build
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
binary=${1:-.build/release/gateway-agent}
readonly allowed='^(libmosquitto\.so\.1|libmodbus\.so\.5|libsqlite3\.so\.0|libcrypto\.so\.3|libssl\.so\.3|libstdc\+\+\.so\.6|libgcc_s\.so\.1|libm\.so\.6|libc\.so\.6|ld-linux[-a-z0-9_]*\.so\.[0-9])$'
bad=0

complain() {
  echo "$binary: $1" >&2
  bad=1
}

[[ -f $binary ]] || { echo "$binary: not built" >&2; exit 2; }

# What the binary itself names …
while IFS= read -r library; do
  [[ $library =~ $allowed ]] || complain "links $library, which no room of the project needs"
done < <(readelf --dynamic --wide "$binary" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p')

# … and what comes along when it is loaded.
loaded=$(ldd "$binary")
if grep -E 'lib_?Foundation|libswift|libicu|not found' <<<"$loaded" >&2; then
  complain 'loads the libraries above'
fi

# Full Foundation linked statically shows in the symbols: its own, and its extensions of the standard
# library. FoundationEssentials is mangled `20FoundationEssentials` and does not match.
symbols=$(nm --defined-only "$binary" 2>/dev/null | awk '{ print $3 }')
[[ -n $symbols ]] || complain 'has no symbols; give an unstripped build'
if grep -m 5 -E '^\$s(S[a-zA-Z]*)?10Foundation[A-Z0-9]|^\$s[A-Za-z0-9]+10FoundationE|icudt|_FoundationICU|^uloc_' <<<"$symbols" >&2; then
  complain 'holds symbols of the full Foundation, as above'
fi

((bad == 0)) || exit 1
echo "links: $(readelf --dynamic --wide "$binary" | sed -nE 's/.*\(NEEDED\).*\[(.*)\]/\1/p' | tr '\n' ' ')"
