import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** What became of a planted fault. `seed` and `rule`: undefined when no seed caught it. */
export interface PlantedOutcome {
  readonly name: string
  readonly seed?: number
  readonly rule?: string
}

const main = fileURLToPath(new URL('main.ts', import.meta.url))

/**
 * Runs all planted engines in a process of its own: their modules are changed by hooks of Node's loader, which do not
 * reach into a test runner that loads modules by itself.
 */
export async function runPlanted(): Promise<PlantedOutcome[]> {
  const child = spawn(process.execPath, ['--conditions=@millrace/source', main, '--planted'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  for await (const chunk of child.stdout.setEncoding('utf8')) text += String(chunk)
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as PlantedOutcome)
}
