import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** The C programs that judge the servers, compiled into a folder of their own. */
export interface Referee {
  /** Many subscribers and one publisher. */
  readonly sseload: string
  /** The same; `{n}` in the path becomes the number of the connection. */
  readonly sseloadNumbered: string
  /** The floor: a server that does nothing but one `send()` per event and client. */
  readonly limit: string
  remove(): Promise<void>
}

const sources = fileURLToPath(new URL('../referee/', import.meta.url))
const COMPILE_TIMEOUT_MS = 60_000

/** Compiles the referee with gcc, which has to be there. */
export async function compileReferee(): Promise<Referee> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-referee-'))
  const compile = async (name: string): Promise<string> => {
    const program = join(folder, name)
    const options = ['-O2', '-w', '-pthread', '-o', program, join(sources, `${name}.c`)]
    await promisify(execFile)('gcc', options, { timeout: COMPILE_TIMEOUT_MS })
    return program
  }
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    const [sseload, sseloadNumbered, limit] = await Promise.all([
      compile('sseload'),
      compile('sseload-numbered'),
      compile('limit'),
    ])
    return { sseload, sseloadNumbered, limit, remove }
  } catch (error) {
    await remove()
    throw new Error('The referee could not be compiled; gcc is needed (Debian: apt-get install gcc libc6-dev).', {
      cause: error,
    })
  }
}
