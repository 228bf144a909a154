import { workerData, type MessagePort } from 'node:worker_threads'
import type { OpenAnswer, WorkerSettings } from '../messages.ts'
import { openingFault } from './log-file.ts'
import { LogStore } from './log-store.ts'
import { LogWorker } from './log-worker.ts'

/** What the thread is started with. */
export interface WorkerStart {
  readonly port: MessagePort
  /** Becomes 1 when the answer is on the port: who started the thread sleeps until then. */
  readonly flag: Int32Array
  readonly settings: WorkerSettings
}

const { port, flag, settings } = workerData as WorkerStart
const answer = open()
port.postMessage(answer)
Atomics.store(flag, 0, 1)
Atomics.notify(flag, 0)
if (answer.kind === 'refused') port.close()

function open(): OpenAnswer {
  try {
    const store = new LogStore(settings)
    new LogWorker(store, port, settings.path, settings.times).listen()
    return { kind: 'open', head: store.head, timeMs: store.timeMs }
  } catch (error) {
    const { code, message } = openingFault(settings.path, error)
    return { kind: 'refused', code, message }
  }
}
