using 'main.bicep'

// Staging: what is special in production (tier, network, zones, locks, access rules), tried before it gets there. Costs as much:
// make it for a release and delete it afterwards. A test holds it equal to production but for the lines named there.

param workload = 'dvint'
param environmentName = 'stage'
param tags = {
  owner: readEnvironmentVariable('TAG_OWNER')
  costCentre: readEnvironmentVariable('TAG_COST_CENTRE')
  dataClass: 'confidential'
}
param dataverse = {
  url: readEnvironmentVariable('DATAVERSE_URL')
  organisationId: readEnvironmentVariable('DATAVERSE_ORGANISATION')
}
param systems = {
  erp: {
    settings: { adapter: 'rest-erp', url: readEnvironmentVariable('ERP_URL') }
    secrets: ['apiKey']
  }
  credit: {
    settings: { adapter: 'rest-scoring', url: readEnvironmentVariable('CREDIT_URL') }
    secrets: ['apiKey']
  }
}
param scale = {
  instanceMemoryMB: 2048
  // 52 requests at once that Dataverse takes of one application user / 8 of each instance (DATAVERSE_CONCURRENCY).
  maximumInstanceCount: 6
  httpPerInstanceConcurrency: 64
  alwaysReady: [
    { name: 'http', instanceCount: 2 }
    { name: 'function:work', instanceCount: 2 }
  ]
}
param zoneRedundant = true
param serviceBusSku = 'Premium'
param network = {
  addressPrefix: '10.41.0.0/22'
  fixedOutboundAddress: true
}
param accessRules = [
  { name: 'dataverse', serviceTag: 'PowerPlatformPlex' }
  { name: 'power-platform', serviceTag: 'PowerPlatformInfra' }
  { name: 'availability', serviceTag: 'ApplicationInsightsAvailability' }
  { name: 'support', addressRange: readEnvironmentVariable('SUPPORT_ADDRESS_RANGE') }
]
param protect = true
param alertEmails = [readEnvironmentVariable('ALERT_EMAIL')]
param alertWebhooks = empty(readEnvironmentVariable('ALERT_WEBHOOK', '')) ? [] : [readEnvironmentVariable('ALERT_WEBHOOK', '')]
// West Europe, North Europe, France Central.
param availability = {
  everyMinutes: 5
  locations: ['emea-nl-ams-azr', 'emea-gb-db3-azr', 'emea-fr-pra-edge']
}
param alertLimits = {
  activeMessages: 1000
  failedAttempts: 50
  intakeErrors: 5
  oldestUnsettledMinutes: 120
  unauthorised: 20
  sinkBehindMinutes: 15
}
