// Starts the page in the browser.
import { h, render } from 'preact'
import { App } from './app.ts'
import { followTheme } from './browser/theme.ts'

followTheme('auto')()
render(h(App, {}), document.body)
