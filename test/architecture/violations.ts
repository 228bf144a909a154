import { builtinModules } from 'node:module'
import { posix } from 'node:path'
import { findCycles } from './cycles.ts'
import { readFacts, type ImportFact, type SourceFacts } from './source-facts.ts'
import { emptyNames, maxExcusedLines, maxLines, scope, type PackageRule } from './table.ts'
import type { Workspace, WorkspacePackage } from './workspace.ts'

type Rules = Readonly<Record<string, PackageRule>>

/** One sentence for each place where the workspace breaks a rule; none when it keeps them all. */
export function findViolations(workspace: Workspace, rules: Rules): string[] {
  return [
    ...checkTable(workspace, rules),
    ...workspace.packages.flatMap((pkg) => {
      const rule = rules[pkg.folder]
      return rule === undefined ? [] : [...checkManifest(pkg, rule, workspace), ...checkSources(pkg, rule, workspace)]
    }),
    ...[...workspace.files].flatMap(([path, text]) => checkFile(path, text)),
  ]
}

function checkTable({ packages }: Workspace, rules: Rules): string[] {
  const folders = new Set(packages.map(({ folder }) => folder))
  return [
    ...[...folders].filter((folder) => !(folder in rules)).map((folder) => `packages/${folder} is not in the table`),
    ...Object.keys(rules)
      .filter((folder) => !folders.has(folder))
      .map((folder) => `the table has ${folder}, and packages/${folder} does not exist`),
  ]
}

function checkManifest(
  { folder, manifest, references }: WorkspacePackage,
  rule: PackageRule,
  all: Workspace,
): string[] {
  const found: string[] = []
  const file = `packages/${folder}/package.json`
  const ownName = scope + (folder.split('/').at(-1) ?? folder)
  if (manifest.name !== ownName) found.push(`${file}: the name is ${manifest.name}, not ${ownName}`)
  for (const [entry, target] of Object.entries(manifest.exports ?? {})) {
    const first = typeof target === 'string' ? undefined : Object.keys(target)[0]
    if (first !== `${scope}source`) found.push(`${file}: exports "${entry}" does not name ${scope}source first`)
  }
  for (const [name, range] of Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    if (!isAllowed(name, rule)) found.push(`${file}: depends on ${name}`)
    const other = all.packages.find((pkg) => pkg.manifest.name === name)
    if (other !== undefined && range !== other.manifest.version) {
      found.push(`${file}: asks for ${name} ${range}, which is at ${other.manifest.version}`)
    }
  }
  const needed = Object.keys(manifest.dependencies ?? {})
    .filter((name) => name.startsWith(scope))
    .map((name) => name.slice(scope.length))
  if (needed.toSorted().join() !== references.toSorted().join()) {
    found.push(
      `packages/${folder}/tsconfig.json: refers to [${references.join()}], and the package depends on [${needed.join()}]`,
    )
  }
  return found
}

function isAllowed(packageName: string, rule: PackageRule): boolean {
  if (!packageName.startsWith(scope)) return rule.external.includes(packageName)
  return rule.workspace.includes(packageName.slice(scope.length))
}

function checkSources(pkg: WorkspacePackage, rule: PackageRule, { files, packages }: Workspace): string[] {
  const root = `packages/${pkg.folder}/src/`
  const found: string[] = []
  const graph = new Map<string, string[]>()
  for (const [path, text] of files) {
    if (!path.startsWith(root)) continue
    const facts = readFacts(path, text)
    // Objects that know each other name each other's types; only what is loaded can be loaded too early.
    const inside: string[] = []
    for (const imported of facts.imports) {
      const target = imported.specifier?.startsWith('.') ? posix.join(path, '..', imported.specifier) : undefined
      if (target !== undefined && files.has(target) && !imported.isType) inside.push(target)
      const fault = faultOfImport(imported, target, { pkg, rule, packages, root })
      if (fault !== undefined) found.push(`${path}:${imported.line}: ${fault}`)
    }
    graph.set(path, inside)
    found.push(...checkGlobals(path, facts, rule))
  }
  return [...found, ...findCycles(graph).map((cycle) => `import cycle: ${cycle.join(' → ')}`)]
}

interface Importer {
  readonly pkg: WorkspacePackage
  readonly rule: PackageRule
  readonly packages: readonly WorkspacePackage[]
  /** Where the sources of the package are. */
  readonly root: string
}

function faultOfImport({ specifier }: ImportFact, target: string | undefined, importer: Importer): string | undefined {
  const { pkg, rule, packages, root } = importer
  if (specifier === undefined) return rule.program ? undefined : 'imports something computed'
  if (target !== undefined) {
    if (!target.startsWith(root)) return `reaches out of its package for ${specifier}`
    return /\.(ts|tsx|json)$/.test(target) ? undefined : `imports ${specifier} without its .ts`
  }
  if (specifier.startsWith('node:') || builtinModules.includes(specifier)) {
    if (!rule.node) return `uses ${specifier}, and has to run without Node`
    if (specifier === 'node:process' && !rule.program) return `uses ${specifier}: only a program reads its environment`
    return specifier.startsWith('node:') ? undefined : `imports ${specifier} without node:`
  }
  const name = packageNameOf(specifier)
  if (!isAllowed(name, rule)) return `imports ${specifier}`
  if (!(name in { ...pkg.manifest.dependencies, ...pkg.manifest.peerDependencies }))
    return `imports ${specifier}, which is no dependency of the package`
  const other = packages.find(({ manifest }) => manifest.name === name)
  const entry = `.${specifier.slice(name.length)}`
  if (other !== undefined && !(entry in (other.manifest.exports ?? {})))
    return `imports ${specifier}, which is no public entry`
  return undefined
}

function packageNameOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}

function checkGlobals(path: string, { globals }: SourceFacts, rule: PackageRule): string[] {
  return globals.flatMap(({ name, line }) => {
    const isProgramOnly = name === 'console' || name === 'process.env'
    if (isProgramOnly && !rule.program) return [`${path}:${line}: uses ${name}, which is for programs`]
    return isProgramOnly || rule.node ? [] : [`${path}:${line}: uses ${name}, and has to run without Node`]
  })
}

function checkFile(path: string, text: string): string[] {
  const found: string[] = []
  const empty = path
    .split('/')
    .slice(0, -1)
    .find((folder) => emptyNames.includes(folder))
  if (empty !== undefined) found.push(`${path}: the folder name "${empty}" says nothing; name the duty`)
  const { lineCount, topComment } = readFacts(path, text)
  const limit = topComment.includes(`${maxLines} lines`) ? maxExcusedLines : maxLines
  if (lineCount > limit) found.push(`${path}: ${lineCount} lines, more than ${limit}`)
  return found
}
