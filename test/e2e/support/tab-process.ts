import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Tab } from './sharing-stage.ts'

/** How long a tab is made to work each time it is looked at, and how often that is tried. */
const WORK_MS = 400
const TRIES = 20
/** CPU time in ticks of 10 ms: so much more than any other process of the browser has had is no accident. */
const CLEAR_TICKS = 15

/**
 * The process of Firefox that runs a tab, on Linux: of all those below the browser's the one that works when the tab does. Which one it
 * is, no driver says. Tabs of one site have processes of their own as long as there are few.
 */
export async function processOf(tab: Tab, browserPid: number): Promise<number> {
  for (let i = 0; i < TRIES; i++) {
    const before = ticksOf(descendantsOf(browserPid))
    await tab.evaluate(`(() => { for (const end = Date.now() + ${WORK_MS}; Date.now() < end;); })()`)
    const after = ticksOf(before.keys())
    const gains = [...after].map(([pid, ticks]) => ({ pid, gained: ticks - (before.get(pid) ?? 0) }))
    const [most, second] = gains.toSorted((a, b) => b.gained - a.gained)
    if (most && most.gained - (second?.gained ?? 0) >= CLEAR_TICKS) return most.pid
  }
  throw new Error(`No process below ${browserPid} works clearly more than others when the tab does`)
}

function descendantsOf(rootPid: number): number[] {
  const { stdout } = spawnSync('ps', ['-e', '-o', 'pid=,ppid='], { encoding: 'utf8' })
  const pairs = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number))
  const found = [rootPid]
  for (const parent of found) for (const [pid = 0, ppid] of pairs) if (ppid === parent) found.push(pid)
  return found.slice(1)
}

/** User and system time of each process (proc(5), fields 14 and 15); what has ended meanwhile is left out. */
function ticksOf(pids: Iterable<number>): Map<number, number> {
  const ticks = new Map<number, number>()
  for (const pid of pids) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
      ticks.set(pid, Number(fields[11]) + Number(fields[12]))
    } catch {
      // It has ended.
    }
  }
  return ticks
}
