// Which addresses belong to the public internet: by the registries of special-purpose addresses of IANA, and what clouds have beside.
const { isIPv4, isIPv6 } = require('node:net');

/** What stands for the address of IPv4 in the last four bytes: mapped addresses, and those of a translator (NAT64). */
const EMBEDDING_V4 = [
  [...Array(10).fill(0), 0xff, 0xff],
  [0, 0x64, 0xff, 0x9b, ...Array(8).fill(0)],
];

/** Of IPv4, what is not public. */
const SPECIAL_V4 = [
  '0.0.0.0/8', // this network
  '10.0.0.0/8', // private
  '100.64.0.0/10', // behind a carrier's translation; metadata of Alibaba
  '127.0.0.0/8', // loopback
  '168.63.129.16', // the host of a machine of Azure
  '169.254.0.0/16', // link-local; metadata of most clouds
  '172.16.0.0/12', // private
  '192.0.0.0/24', // assignments of protocols; metadata of Oracle
  '192.0.2.0/24', // documentation
  '192.88.99.0/24', // relays of 6to4
  '192.168.0.0/16', // private
  '198.18.0.0/15', // benchmarks
  '198.51.100.0/24', // documentation
  '203.0.113.0/24', // documentation
  '224.0.0.0/4', // multicast
  '240.0.0.0/4', // reserved; broadcast
].map(range);
/** Of IPv6, what is public but for the exceptions. All else is not: loopback, unique local, link-local, multicast and so on. */
const GLOBAL_V6 = range('2000::/3');
const SPECIAL_V6 = [
  '2001::/23', // assignments of protocols; tunnels of Teredo
  '2001:db8::/32', // documentation
  '2002::/16', // 6to4, in which an address of IPv4 is hidden
  '3fff::/20', // documentation
].map(range);
/** Addresses that are written `a.b.c.d`, `a:b::c`, or with the length of a prefix. Throws if it is nothing like that. */
function range(text) {
  const [address, length, ...rest] = text.split('/');
  const bytes = bytesOf(address);
  const isLength = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= (bytes?.length ?? 0) * 8);
  if (!bytes || !isLength || rest.length > 0) throw new TypeError(`${text} is no address and no range of addresses`);
  // As the one of IPv4 that is embedded its length would mean something else.
  if (bytes.length === 4 && address.includes(':')) throw new TypeError(`${text} must be written as one of IPv4`);
  return { bytes, length: length === undefined ? bytes.length * 8 : Number(length) };
}

function contains({ bytes, length }, address) {
  if (bytes.length !== address.length) return false;
  return bytes.every((byte, i) => {
    const bits = Math.min(Math.max(length - i * 8, 0), 8);
    return byte >> (8 - bits) === address[i] >> (8 - bits);
  });
}

/** The bytes of an address; of one of IPv6 that stands for one of IPv4, of that. */
function bytesOf(text) {
  if (isIPv4(text)) return text.split('.').map(Number);
  // With a zone it is a link-local one.
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const groups = text.replace(/[\d.]+$/, (last) => {
    if (!last.includes('.')) return last;
    const [a, b, c, d] = last.split('.').map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [head, tail] = groups.split('::').map((part) => part.split(':').filter((group) => group !== ''));
  const all = tail === undefined ? head : [...head, ...Array(8 - head.length - tail.length).fill('0'), ...tail];
  const bytes = all.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]);
  const isEmbedded = EMBEDDING_V4.some((prefix) => prefix.every((byte, i) => byte === bytes[i]));
  return isEmbedded ? bytes.slice(12) : bytes;
}

/** Whether an address is public, or in one of these ranges. What is no address is not. */
function isAllowed(text, ranges) {
  const bytes = bytesOf(text);
  if (!bytes) return false;
  if (ranges.some((allowed) => contains(allowed, bytes))) return true;
  if (bytes.length === 4) return !SPECIAL_V4.some((special) => contains(special, bytes));
  return contains(GLOBAL_V6, bytes) && !SPECIAL_V6.some((special) => contains(special, bytes));
}

module.exports = { isAllowed, range };
