import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository as the rules see it; a test can write one down. */
export interface Workspace {
  readonly packages: readonly WorkspacePackage[]
  /** Every source file, by its path from the root with forward slashes. */
  readonly files: ReadonlyMap<string, string>
}

export interface WorkspacePackage {
  /** Under `packages/`; with forward slashes where it is in a group, such as `backends/sqlite`. */
  readonly folder: string
  readonly manifest: Manifest
  /** Names, without the scope, of the packages that its `tsconfig.json` refers to. */
  readonly references: readonly string[]
}

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

interface Project {
  readonly references?: readonly { readonly path: string }[]
}

const sourceFolders = ['packages', 'test', 'scripts', 'benchmarks', 'examples']
const sourceEndings = new Set(['.ts', '.tsx', '.js', '.mjs', '.cjs'])
const generated = new Set(['node_modules', 'dist', 'coverage'])

/** Reads the repository that this file is in. */
export function readWorkspace(): Workspace {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const files = new Map<string, string>()
  for (const folder of sourceFolders) {
    for (const file of sourceFiles(join(root, folder))) {
      files.set(relative(root, file).split(sep).join('/'), readFileSync(file, 'utf8'))
    }
  }
  return { packages: readPackages(join(root, 'packages')), files }
}

/** Folders that hold packages of one kind. */
const groups = ['adapters', 'backends']

function readPackages(folder: string): WorkspacePackage[] {
  const grouped = groups.flatMap((group) => readdirSync(join(folder, group)).map((name) => `${group}/${name}`))
  return [...readdirSync(folder), ...grouped]
    .filter((name) => existsSync(join(folder, name, 'package.json')))
    .map((name) => {
      // The repository's own files: where their shape is another, the test fails.
      const manifest: Manifest = JSON.parse(readFileSync(join(folder, name, 'package.json'), 'utf8'))
      const { references = [] }: Project = JSON.parse(readFileSync(join(folder, name, 'tsconfig.json'), 'utf8'))
      return { folder: name, manifest, references: references.map(({ path }) => path.split('/').at(-1) ?? path) }
    })
}

function* sourceFiles(folder: string): Generator<string> {
  if (!existsSync(folder)) return
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory() && !generated.has(entry.name)) yield* sourceFiles(path)
    if (entry.isFile() && sourceEndings.has(extname(entry.name))) yield path
  }
}
