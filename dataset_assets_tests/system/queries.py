"""Questions and orders to Dagster's GraphQL interface, as the UI puts them."""

from __future__ import annotations

LAUNCH_BACKFILL = """mutation Launch($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}"""
CANCEL_BACKFILL = """mutation Cancel($id: String!) {
  cancelPartitionBackfill(backfillId: $id) { __typename ... on PythonError { message } }
}"""
BACKFILL = """query Backfill($id: String!) { partitionBackfillOrError(backfillId: $id) {
  ... on PartitionBackfill { status runs(limit: 50) { runId status tags { key value } } }
} }"""
BACKFILLS = """{ partitionBackfillsOrError(limit: 20) {
  ... on PartitionBackfills { results { id status partitionNames } }
} }"""

LAUNCH_RUN = """mutation Launch($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on InvalidSubsetError { message }
    ... on PythonError { message }
  }
}"""
LAUNCH_RUNS = """mutation LaunchMultipleRuns($params: [ExecutionParams!]!) {
  launchMultipleRuns(executionParamsList: $params) {
    __typename
    ... on LaunchMultipleRunsResult { launchMultipleRunsResult {
      __typename
      ... on LaunchRunSuccess { run { runId } }
      ... on InvalidSubsetError { message }
      ... on PythonError { message }
    } }
    ... on PythonError { message }
  }
}"""
TERMINATE = """mutation Terminate($id: String!) {
  terminateRun(runId: $id, terminatePolicy: SAFE_TERMINATE) {
    __typename
    ... on TerminateRunFailure { message }
  }
}"""
MESSAGES = """query Messages($id: ID!) { runOrError(runId: $id) { ... on Run {
  eventConnection { events { ... on MessageEvent { level message } } }
} } }"""
TIMELINE = """query Timeline { runsOrError(filter: {tags: [
  {key: ".dagster/repository", value: "__repository__@dataset_assets"}
]}) { ... on Runs { results {
  runId pipelineName startTime tags { key value }
  repositoryOrigin { repositoryName repositoryLocationName }
} } } }"""
EXECUTABLE_CHECKS = """query Executable($path: [String!]!) { assetNodeOrError(assetKey: {path: $path}) {
  ... on AssetNode { assetChecksOrError { ... on AssetChecks { checks {
    name canExecuteIndividually
  } } } }
} }"""
RUNS = "{ runsOrError { ... on Runs { results { runId status tags { key value } } } } }"
FAILURES = """query Failures($id: ID!) { runOrError(runId: $id) { ... on Run {
  eventConnection { events {
    __typename
    ... on ExecutionStepFailureEvent { error { message } failureMetadata { description } }
  } }
} } }"""

SET_LIMIT = 'mutation Set($limit: Int!) { setConcurrencyLimit(concurrencyKey: "decode", limit: $limit) }'
POOLS = "{ instance { concurrencyLimits { concurrencyKey slotCount } } }"

PARTITIONS = """query Partitions($path: [String!]!) { assetNodeOrError(assetKey: {path: $path}) {
  ... on AssetNode { assetPartitionStatuses { ... on DefaultPartitionStatuses {
    materializedPartitions failedPartitions unmaterializedPartitions
  } } }
} }"""
METADATA = """query Metadata($path: [String!]!, $partitions: [String!]) {
  assetNodeOrError(assetKey: {path: $path}) { ... on AssetNode {
    assetMaterializations(partitions: $partitions, limit: 1) { metadataEntries {
      label
      ... on BoolMetadataEntry { boolValue }
      ... on FloatMetadataEntry { floatValue }
      ... on IntMetadataEntry { intValue }
      ... on JsonMetadataEntry { jsonString }
      ... on MarkdownMetadataEntry { mdStr }
      ... on PathMetadataEntry { path }
      ... on TableMetadataEntry { table { records } }
      ... on TextMetadataEntry { text }
      ... on UrlMetadataEntry { url }
    } }
  } }
}"""
CHECKS = """query Checks($path: [String!]!) { assetNodeOrError(assetKey: {path: $path}) {
  ... on AssetNode { assetChecksOrError { ... on AssetChecks { checks { name } } } }
} }"""
CHECK_RESULTS = """query Results($path: [String!]!, $name: String!) {
  assetCheckExecutions(assetKey: {path: $path}, checkName: $name, limit: 50) {
    partition evaluation { success severity description }
  }
}"""
CHECK_PARTITIONS = """query Partitions($path: [String!]!, $name: String!) {
  assetNodeOrError(assetKey: {path: $path}) { ... on AssetNode { assetCheckOrError(checkName: $name) {
    ... on AssetCheck { partitionStatuses { ... on AssetCheckDefaultPartitionStatuses {
      succeededPartitions failedPartitions executionFailedPartitions skippedPartitions inProgressPartitions
    } } }
  } } }
}"""
DRY_RUN = """mutation DryRun($selector: ScheduleSelector!, $timestamp: Float!) {
  scheduleDryRun(selectorData: $selector, timestamp: $timestamp) {
    __typename
    ... on PythonError { message }
    ... on DryRunInstigationTick { evaluationResult {
      skipReason
      error { message }
      runRequests {
        assetSelection { path }
        assetChecks { name assetKey { path } }
        tags { key value }
        runConfigYaml
      }
    } }
  }
}"""
