export { sqlite } from './sqlite-backend.ts'
export * from './sqlite-error.ts'
export type { Durability, SqliteOptions } from './sqlite-options.ts'
