import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export const commandPath: string = fileURLToPath(new URL('../../../packages/hub/bin/millrace.js', import.meta.url))
const REPORT = fileURLToPath(new URL('report-memory.mjs', import.meta.url))
const START_MS = 20_000

/** The `millrace` command as a process of its own. */
export interface HubProcess {
  readonly child: ChildProcess
  /** `http://127.0.0.1:<port>` */
  readonly url: string
  readonly port: number
  /** What it wrote so far. */
  readonly output: { readonly stdout: string; readonly stderr: string }
  /** Physical memory, garbage included. */
  rssBytes(): number
  /** What JavaScript holds after a collection, its buffers included. */
  liveBytes(): Promise<number>
  /** Ends it, by force if need be. May be called twice. */
  stop(): Promise<void>
}

export interface CommandResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the command to its end. */
export function runCommand(args: readonly string[], env: Readonly<Record<string, string>> = {}): CommandResult {
  const result = spawnSync(process.execPath, [commandPath, ...args], {
    env: environment(env),
    encoding: 'utf8',
    timeout: START_MS,
  })
  return { code: result.status, stdout: result.stdout, stderr: result.stderr }
}

/** Starts `millrace serve` on a free port, in a folder if it matters, and resolves when it listens. */
export async function startHubProcess(
  args: readonly string[] = ['--port', '0'],
  env: Readonly<Record<string, string>> = {},
  folder?: string,
): Promise<HubProcess> {
  const child = spawn(process.execPath, ['--expose-gc', '--import', REPORT, commandPath, 'serve', ...args], {
    env: environment(env),
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const output = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output.stdout += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output.stderr += text))
  const closed = once(child, 'close')
  const url = await listening(child, output)
  return {
    child,
    url,
    port: Number(new URL(url).port),
    output,
    rssBytes: () => rssBytes(child.pid),
    async liveBytes() {
      const answered = once(child, 'message')
      child.send('report')
      const [{ liveBytes }] = (await answered) as [{ liveBytes: number }]
      return liveBytes
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await closed
    },
  }
}

function listening(child: ChildProcess, output: { readonly stdout: string; readonly stderr: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      child.kill('SIGKILL')
      reject(new Error(`The hub ${why}; it wrote ${JSON.stringify(output)}`))
    }
    const timer = setTimeout(() => fail(`did not listen within ${START_MS} ms`), START_MS)
    child.once('exit', (code) => fail(`exited with ${code}`))
    child.stdout?.on('data', () => {
      const url = /http:\/\/\S+/.exec(output.stdout)?.[0]
      if (url === undefined || !output.stdout.includes('\n')) return
      clearTimeout(timer)
      child.removeAllListeners('exit')
      resolve(url)
    })
  })
}

/** Without options of the machine on which the tests run, and with nothing kept in a file of its folder. */
function environment(own: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('MILLRACE_') && name !== 'NODE_OPTIONS',
  )
  return { ...Object.fromEntries(inherited), MILLRACE_LOG: 'memory:', MILLRACE_LOG_LEVEL: 'warn', ...own }
}

function rssBytes(pid: number | undefined): number {
  const kibibytes = Number(spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).stdout)
  if (!Number.isFinite(kibibytes) || kibibytes === 0) throw new Error(`The memory of process ${pid} cannot be read`)
  return kibibytes * 1024
}
