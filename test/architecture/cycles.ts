type Graph = ReadonlyMap<string, readonly string[]>

/** Each cycle that a depth-first walk closes, as the way round it: first and last name are the same. */
export function findCycles(graph: Graph): string[][] {
  const cycles: string[][] = []
  const done = new Set<string>()
  const trail: string[] = []

  function visit(name: string): void {
    const start = trail.indexOf(name)
    if (start >= 0) cycles.push([...trail.slice(start), name])
    if (start >= 0 || done.has(name)) return
    trail.push(name)
    for (const next of graph.get(name) ?? []) visit(next)
    trail.pop()
    done.add(name)
  }

  for (const name of graph.keys()) visit(name)
  return cycles
}
