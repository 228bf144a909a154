/** What a process holds, in bytes. */
export interface MemoryUse {
  /** Resident set as it was found. */
  readonly rssFoundBytes: number
  /** Resident set after a full collection of garbage. */
  readonly rssBytes: number
  readonly heapUsedBytes: number
  readonly heapTotalBytes: number
  readonly externalBytes: number
  readonly arrayBuffersBytes: number
}

/** Collects garbage where Node was started with `--expose-gc`, and measures. */
export function measureMemory(): MemoryUse {
  const rssFoundBytes = process.memoryUsage.rss()
  globalThis.gc?.()
  globalThis.gc?.()
  const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage()
  return {
    rssFoundBytes,
    rssBytes: rss,
    heapUsedBytes: heapUsed,
    heapTotalBytes: heapTotal,
    externalBytes: external,
    arrayBuffersBytes: arrayBuffers,
  }
}

/** Answers the benchmark's questions, each with one message. */
export function answer(answers: Readonly<Record<string, () => unknown>>): void {
  process.on('message', (question) => void reply(answers[String(question)]))
}

async function reply(find: (() => unknown) | undefined): Promise<void> {
  process.send?.(await find?.())
}
