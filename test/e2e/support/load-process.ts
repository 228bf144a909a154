import type { HubLimits, HubStats } from '@millrace/server'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const SERVER = fileURLToPath(new URL('load-server.ts', import.meta.url))

export interface LoadSettings extends Partial<HubLimits> {
  /** How many events are retained. */
  readonly keepCount: number
}

export type LoadCommand =
  | {
      readonly name: 'publish'
      readonly count: number
      /** false: as fast as it goes. */
      readonly perSecond: number | false
      /** The size of the data of each, about. */
      readonly dataBytes: number
    }
  | { readonly name: 'report' }

export interface LoadReport {
  /** What JavaScript holds after a collection, its buffers included. */
  readonly liveBytes: number
  readonly rssBytes: number
  readonly sockets: number
  /** Of the server and of the process. */
  readonly listeners: readonly (readonly (readonly [event: string, count: number])[])[]
  /** What keeps the event loop busy, timers left out: the log ages events with one. */
  readonly resources: readonly string[]
  readonly stats: HubStats
  readonly subscribers: readonly {
    readonly state: string
    readonly events: number
    readonly bytes: number
    readonly bufferedBytes: number
  }[]
}

/** A hub under load in a process of its own, so that its memory is nobody else's. */
export interface LoadProcess {
  readonly port: number
  /** Resolves to the number of the last event when all are published. */
  publish(count: number, perSecond: number | false, dataBytes: number): Promise<number>
  report(): Promise<LoadReport>
}

/** Starts a hub that is stopped when the test is over. */
export async function startLoadProcess(settings: LoadSettings): Promise<LoadProcess> {
  const child = spawn(
    process.execPath,
    ['--expose-gc', '--conditions=@millrace/source', SERVER, JSON.stringify(settings)],
    { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] },
  )
  const closed = once(child, 'close')
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await closed
  })
  /** One at a time. */
  const ask = async <T>(command?: LoadCommand): Promise<T> => {
    const answered = once(child, 'message')
    if (command) child.send(command)
    const [answer] = (await answered) as [T]
    return answer
  }
  const port = await ask<number>()
  return {
    port,
    publish: (count, perSecond, dataBytes) => ask({ name: 'publish', count, perSecond, dataBytes }),
    report: () => ask({ name: 'report' }),
  }
}
