// The page of the demo: the same as that of `flux-metrics dashboard`, about the demo's MiniCluster.
import * as v from 'valibot'
import packageJson from '../../package.json' with { type: 'json' }
import type { SnippetSource } from '../../webhook/cli/dashboard/hpa-snippet.ts'
import { type Dashboard, startDashboard } from '../../webhook/cli/dashboard/loopback-server.ts'
import { readPageFiles } from '../../webhook/cli/dashboard/page-files.ts'
import { SidecarData } from '../../webhook/cli/dashboard/sidecar-data.ts'
import { httpsGet } from '../../webhook/cli/input/cluster/https-get.ts'
import { MiniClusterSource } from '../../webhook/cli/input/files/minicluster-source.ts'

export interface PageOptions {
  /** Of the sidecar. */
  readonly port: number
  /** The sizes of the MiniCluster; `undefined` with the user's own broker. */
  readonly sizes: readonly [least: number, most: number] | undefined
  /** Ends its questions. */
  readonly signal: AbortSignal
}

/** Serves the page on a free port of this machine. */
export async function servePage({ port, sizes, signal }: PageOptions): Promise<Dashboard> {
  const data = new SidecarData({
    version: packageJson.version,
    title: 'flux-sample',
    ask: ({ include }, patience) => {
      const url = new URL(`https://127.0.0.1:${port}/explain?include=${include.join(',')}`)
      const accept = 'application/json'
      return httpsGet(url, { accept, ca: undefined, insecure: true, patience })
    },
    ...(sizes && { minicluster: sourceFor(...sizes) }),
    signal,
  })
  return startDashboard({ data, files: await readPageFiles(), port: 0 })
}

function sourceFor(minSize: number, maxSize: number): SnippetSource {
  const spec = { size: minSize, minSize, maxSize, containers: [{}] }
  return {
    apiVersion: 'flux-framework.org/v1alpha2',
    minicluster: v.parse(MiniClusterSource, { metadata: { name: 'flux-sample' }, spec }),
    choices: { hasTolerance: true, drains: false },
  }
}
