using 'main.bicep'

// Development: the smallest. Scales to zero, so the worker must be found by exact queue lengths.

param workload = 'dvint'
param environmentName = 'dev'
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
param exactQueueScaling = true
param alertEmails = [readEnvironmentVariable('ALERT_EMAIL')]
param logQuotaGb = 1
