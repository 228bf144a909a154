export { startHubServer, type HubServer } from './http/hub-server.ts'
export { defaultHubSettings, type HubSettings } from './hub-settings.ts'
