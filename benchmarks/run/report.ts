import { cpus, loadavg } from 'node:os'
import { writeFile } from 'node:fs/promises'
import type { Spread } from './statistics.ts'

/** A figure that has to be kept. */
export interface Goal {
  readonly what: string
  readonly value: number
  /** `value` must not be above it, or below it where `atLeast` is set. */
  readonly bound: number
  readonly atLeast?: true
}

/** What a benchmark found. */
export interface Report {
  readonly benchmark: string
  readonly rows: readonly Row[]
  readonly goals: readonly Goal[]
  /** What else is worth keeping, for the JSON. */
  readonly details?: object
}

/** One line of the table. Units stand in the names. */
export interface Row {
  readonly name: string
  readonly figures: Readonly<Record<string, Spread | number | string>>
}

export interface Machine {
  readonly cores: number
  readonly processor: string
  readonly node: string
  /** Mean number of runnable processes in the minute before: above 0.5 somebody else was at work. */
  readonly loadBefore: number
}

export function describeMachine(): Machine {
  const [first] = cpus()
  return {
    cores: cpus().length,
    processor: first?.model ?? 'unknown',
    node: process.version,
    loadBefore: loadavg()[0] ?? 0,
  }
}

/** Prints the table and the goals, and writes all of it as JSON. Returns whether every goal was met. */
export async function publishReport(report: Report, machine: Machine, jsonPath: string | undefined): Promise<boolean> {
  console.log(`\n${report.benchmark}: ${machine.cores} cores (${machine.processor}), Node ${machine.node}`)
  if (machine.loadBefore > 0.5)
    console.log(`The machine was not idle (load ${machine.loadBefore.toFixed(2)}): take ratios only.`)
  printTable(report.rows)
  for (const goal of report.goals) {
    const sign = goal.atLeast ? '≥' : '≤'
    console.log(`${isMet(goal) ? 'met   ' : 'MISSED'} ${goal.what}: ${shown(goal.value)} ${sign} ${shown(goal.bound)}`)
  }
  if (jsonPath) await writeFile(jsonPath, `${JSON.stringify({ ...report, machine }, undefined, 2)}\n`)
  return report.goals.every(isMet)
}

function isMet({ value, bound, atLeast }: Goal): boolean {
  return atLeast ? value >= bound : value <= bound
}

function printTable(rows: readonly Row[]): void {
  const names = [...new Set(rows.flatMap(({ figures }) => Object.keys(figures)))]
  const cells = [
    ['', ...names],
    ...rows.map(({ name, figures }) => [name, ...names.map((each) => shownSpread(figures[each]))]),
  ]
  const widths = ['', ...names].map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  console.log()
  for (const row of cells)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
  console.log()
}

function shownSpread(value: Spread | number | string | undefined): string {
  if (value === undefined) return ''
  if (typeof value === 'string') return value
  if (typeof value === 'number') return shown(value)
  return value.runs.length === 1
    ? shown(value.median)
    : `${shown(value.median)} (${shown(value.min)}–${shown(value.max)})`
}

function shown(value: number): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString('en-US')
  return value.toFixed(Math.abs(value) >= 100 ? 0 : 2)
}
