// The API server itself. Pure.
import { NO_KUBECTL } from '../../input/cluster/kubectl.ts'
import { type Check, verdict } from '../check.ts'
import { finding } from '../finding.ts'

const INSTALL_KUBECTL = 'install kubectl, or add its folder to PATH, and try: kubectl version'
const CHOOSE_CLUSTER =
  'choose the cluster and the user with --kubeconfig or KUBECONFIG, and --context, and try: kubectl version'

export const SERVER_CHECK: Check = {
  name: 'api-server',
  scope: 'installation',
  needs: [],
  examine: ({ version }) => {
    const known = version.kind === 'read' ? ` ${version.value.major}.${version.value.minor}` : ''
    const fine = `the API server answers: Kubernetes${known}`
    if (version.kind !== 'unread') return verdict(fine, [])
    if (version.isForbidden) return verdict(fine, [], [version])
    return verdict(fine, [
      finding('api-server-unreachable', {
        subject: 'the API server',
        message: version.why,
        fix: version.why === NO_KUBECTL ? INSTALL_KUBECTL : CHOOSE_CLUSTER,
      }),
    ])
  },
}
