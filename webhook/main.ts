// The program of the webhook's image. The only file of webhook/ that reads the environment.
import { runProgram } from '#serving/program.ts'
import packageJson from '../package.json' with { type: 'json' }
import { readConfig, VARIABLES } from './config.ts'
import { FIELD_MANAGER } from './contract.ts'
import { connectCluster } from './kubernetes/api-server.ts'
import { startWebhook } from './webhook.ts'

const { version } = packageJson

void runProgram(
  {
    name: 'webhook',
    purpose: 'Adds the metrics sidecar to the lead broker of annotated MiniClusters.',
    version,
    variables: VARIABLES,
    readConfig,
    start: async (config, log) => {
      const cluster = connectCluster(config.kubeconfig, `${FIELD_MANAGER}/${version}`)
      const { readVersion } = cluster
      return startWebhook(config, { cluster, readVersion, version, log })
    },
  },
  process.env,
)
