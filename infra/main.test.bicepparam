using 'main.bicep'

// Acceptance: the permissions of production on public addresses, at the smallest size that is always ready.

param workload = 'dvint'
param environmentName = 'test'
param dataverse = {
  url: readEnvironmentVariable('DATAVERSE_URL')
  organisationId: readEnvironmentVariable('DATAVERSE_ORGANISATION')
}
param erp = {
  url: readEnvironmentVariable('ERP_URL')
}
param credit = {
  url: readEnvironmentVariable('CREDIT_URL')
}
param scale = {
  instanceMemoryMB: 2048
  maximumInstanceCount: 40
  alwaysReady: [
    { name: 'function:work', instanceCount: 1 }
  ]
}
param alertEmails = [readEnvironmentVariable('ALERT_EMAIL')]
