import type { Bus, BusMessage, Unsubscribe } from '@millrace/server'

/** A listener that keeps what it heard. */
export class BusRecord {
  readonly messages: BusMessage[] = []
  #watchers: (() => void)[] = []

  readonly listener = (message: BusMessage): void => {
    this.messages.push(message)
    const watchers = this.#watchers
    this.#watchers = []
    for (const watcher of watchers) watcher()
  }

  get data(): string[] {
    return this.messages.map(({ event }) => event.data)
  }

  /** Resolves when a message with this data was heard. */
  async untilHeard(data: string): Promise<void> {
    while (!this.data.includes(data)) await new Promise<void>((resolve) => this.#watchers.push(resolve))
  }
}

export async function listening(bus: Bus): Promise<[BusRecord, Unsubscribe]> {
  const record = new BusRecord()
  return [record, await bus.listen(record.listener)]
}
