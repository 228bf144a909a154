import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import type { EngineUnderTest } from './fake-node.ts'
import type { PlantedFault } from './planted-fault.ts'
import { plantedFaults } from './planted-faults.ts'

const sources = new URL('../../packages/server/src/', import.meta.url)
/** Stays as it is in every engine: the fake log throws the errors that are told apart there. */
const shared = new URL('log.ts', sources).href
const QUERY = '?planted='

let isHooked = false

/** The source of a file of the engine with the fault in it. @throws Error unless the snippet stands there exactly once */
export function plant(source: string, fault: PlantedFault): string {
  const parts = source.split(fault.snippet)
  if (parts.length !== 2) {
    throw new Error(`"${fault.name}": the snippet stands ${parts.length - 1} times in ${fault.file}, not once.`)
  }
  return parts.join(fault.replacement)
}

export function sourceOf(fault: PlantedFault): string {
  return readFileSync(new URL(fault.file, sources), 'utf8')
}

/** Loads a second copy of the engine, with the fault of that number in it. The engine's own files are not touched. */
export async function loadPlanted(index: number): Promise<EngineUnderTest> {
  hook()
  return (await import(`${sources.href}index.ts${QUERY}${index}`)) as EngineUnderTest
}

/** What a planted module of the engine imports from the engine is planted too. */
function hook(): void {
  if (isHooked) return
  isHooked = true
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context)
      const query = queryOf(context.parentURL ?? '')
      const isOfEngine = resolved.url.startsWith(sources.href) && resolved.url !== shared
      return query && isOfEngine ? { ...resolved, url: resolved.url + query } : resolved
    },
    load(url, context, next) {
      const loaded = next(url, context)
      const query = queryOf(url)
      const fault = query && plantedFaults[Number(query.slice(QUERY.length))]
      const isPlace = fault && url === `${sources.href}${fault.file}${query}`
      return isPlace ? { ...loaded, source: plant(sourceOf(fault), fault) } : loaded
    },
  })
}

function queryOf(url: string): string {
  const at = url.indexOf(QUERY)
  return at === -1 ? '' : url.slice(at)
}
