export * from './resilience-cases.ts'
export { resilienceFixtures, type Fixture, type ResilienceFixtures } from './resilience-fixtures.ts'
export type { PageLike, ResilienceSubject } from './resilience-subject.ts'
