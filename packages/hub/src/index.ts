export { startHubServer, type HubServer, type HubServerOptions } from './http/hub-server.ts'
export { defaultHubSettings, type HubSettings } from './hub-settings.ts'
export type { OnError } from './http/problem-answers.ts'
