import { renderToString } from 'react-dom/server.browser'
import { App } from './react-app.tsx'

/** What a server sends of the page. */
export const html: string = renderToString(<App />)
