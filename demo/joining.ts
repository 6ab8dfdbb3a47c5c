import { FABRIC, NAMESPACE, type Stage } from "./stage.ts";

/** How to join in while the demo stays up: one line each for psql, fabric-sync, kubectl and git. */
export function joiningIn(stage: Stage): string {
  const { username, password } = stage.gitUser;
  const remote = stage.repository.httpsUrl.replace("https://", `https://${username}:${password}@`);
  return `
Everything stays up until Ctrl-C. Join in:

  psql '${stage.database.url}' -c 'TABLE fabric_sync.drifts'
  DATABASE_URL='${stage.database.url}' npx fabric-sync explain ${NAMESPACE}/${FABRIC} VPC/web
  ${stage.cluster.kubectlPath} --kubeconfig ${stage.cluster.kubeconfig} get fabrics -n ${NAMESPACE} --watch
  git -c http.sslCAInfo=${stage.git.caFile} clone ${remote}

A push of your own is seen at the next poll (5 minutes), or at once after:
  ${stage.cluster.kubectlPath} --kubeconfig ${stage.cluster.kubeconfig} annotate fabrics ${FABRIC} -n ${NAMESPACE} --overwrite fabricsync.dev/reconcile-at="$(date)"
`;
}
