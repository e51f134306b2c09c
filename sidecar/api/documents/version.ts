// Serves `/version`, which kubectl and discovery clients ask of every API server: the version of the program.
import type Router from 'koa-router'
import { createDocument, sendDocument } from './static-document.ts'

/** @param version e.g. `0.2.0` */
export function routeVersion(router: Router, version: string): void {
  const [major = '', minor = ''] = version.split('.')
  const document = createDocument({ major, minor, gitVersion: `v${version}` })
  router.get('/version', (ctx) => sendDocument(ctx, document))
}
