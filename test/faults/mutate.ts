/** A change to a file as bad disks, cables and editors make it. */
export type Mutation = (bytes: Buffer, random: () => number) => Buffer;

const at = (bytes: Buffer, random: () => number): number => Math.floor(random() * bytes.length);

const mutations: Record<string, Mutation> = {
  bit: (bytes, random) => {
    const out = Buffer.from(bytes);
    const place = at(bytes, random);
    out[place] = out[place]! ^ (1 << Math.floor(random() * 8));
    return out;
  },
  cut: (bytes, random) => Buffer.from(bytes.subarray(0, at(bytes, random))),
  zeros: (bytes, random) => {
    const out = Buffer.from(bytes);
    const place = at(bytes, random);
    return out.fill(0, place, Math.min(out.length, place + 1 + Math.floor(random() * 512)));
  },
  noise: (bytes, random) => {
    const out = Buffer.from(bytes);
    const place = at(bytes, random);
    for (let i = place; i < Math.min(out.length, place + 64); i++) out[i] = Math.floor(random() * 256);
    return out;
  },
  missing: (bytes, random) => {
    const place = at(bytes, random);
    return Buffer.concat([bytes.subarray(0, place), bytes.subarray(place + 1 + Math.floor(random() * 200))]);
  },
  inserted: (bytes, random) => {
    const place = at(bytes, random);
    const more = Buffer.from(Array.from({ length: 1 + Math.floor(random() * 40) }, () => Math.floor(random() * 256)));
    return Buffer.concat([bytes.subarray(0, place), more, bytes.subarray(place)]);
  },
  repeated: (bytes, random) => {
    const place = at(bytes, random);
    const end = place + 1 + Math.floor(random() * 300);
    return Buffer.concat([bytes.subarray(0, end), bytes.subarray(place)]);
  },
};

/** The bytes, changed in one place. */
export function mutate(bytes: Buffer, random: () => number): Buffer {
  const kinds = Object.values(mutations);
  return kinds[Math.floor(random() * kinds.length)]!(bytes, random);
}
