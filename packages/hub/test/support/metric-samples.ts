/** The value of each series, by its name as it is written, labels included. */
export type Samples = ReadonlyMap<string, number>

/** Reads the text format of Prometheus. */
export function parseSamples(text: string): Samples {
  const samples = new Map<string, number>()
  for (const line of text.split('\n')) {
    const [, name, value] = /^([a-z_]+(?:\{[^}]*\})?) (\S+)$/.exec(line) ?? []
    if (name !== undefined) samples.set(name, Number(value))
  }
  return samples
}
