const entry = {
  entry_id: 'soaked-0000001',
  camera_data: { filename: 'image_20250724_000000_000000_cam0.tiff', filepath: '/data/20250724', camera_index: 0 },
  claims: { processor: { host: 'pi', pid: 4711, boot_id: 'b', pid_start: 99, time: '2025-07-24T00:00:00Z' } },
  numbers: Array.from({ length: 60 }, (_, i) => Math.sqrt(i)),
};
const texts = Array.from({ length: 64 }, (_, i) => JSON.stringify({ ...entry, entry_id: `soaked-${i}` }));

/**
 * Processor time that a fixed piece of work takes now, ms: reading and writing JSON, as the pipeline does. What else runs on the
 * machine, and on the machine below it, makes the same work dearer for minutes at a time; a cost over this one tells of the program.
 */
export function yardstickMs(): number {
  const begun = process.threadCpuUsage();
  let length = 0;
  for (let round = 0; round < 20; round++) {
    for (const text of texts) length += JSON.stringify(JSON.parse(text)).length;
  }
  const { user, system } = process.threadCpuUsage(begun);
  if (length === 0) throw new Error('nothing was written');
  return (user + system) / 1000;
}
