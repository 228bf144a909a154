import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('appending-process.ts', import.meta.url))

/** What a child has told before it ended. */
export interface ChildRun {
  readonly lines: readonly string[]
  readonly stderr: string
  readonly code: number | null
}

/**
 * Runs a process that appends without end, and kills it when it has told of enough appends.
 *
 * @param killAfter lines after which it is killed; it goes on until the signal is there
 */
export async function runAppendingChild(path: string, round: number, killAfter: number): Promise<ChildRun> {
  const child = startAppendingChild(path, round)
  let text = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (part: string) => {
    text += part
    if (text.split('\n').length > killAfter) child.kill('SIGKILL')
  })
  child.stderr?.setEncoding('utf8').on('data', (part: string) => (stderr += part))
  const [code] = (await once(child, 'close')) as [number | null]
  // The last line may have been cut.
  return { lines: text.split('\n').slice(0, -1), stderr, code }
}

export function startAppendingChild(path: string, round: number): ChildProcess {
  return spawn(process.execPath, ['--conditions=@millrace/source', SCRIPT, path, String(round)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}
