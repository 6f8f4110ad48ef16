metadata description = 'Log Analytics, Application Insights (Entra only) and the action group of the alerts.'

import { tagsType } from 'types.bicep'

@description('Name of the Log Analytics workspace.')
param workspaceName string

@description('Name of the Application Insights component.')
param componentName string

@description('Name of the action group.')
param actionGroupName string

@description('Its name in text messages.')
@maxLength(12)
param actionGroupShortName string

@description('Mail addresses that alerts go to.')
param alertEmails string[]

@description('Addresses that alerts are posted to in the common alert schema, such as of an on-call service.')
param alertWebhooks string[]

@description('Days that logs are kept.')
param retentionDays int

@description('Most gigabytes a day that the workspace takes in; -1 for no limit. Beyond it telemetry is lost, events are not.')
param dailyQuotaGb int

@description('Telemetry comes through a private link scope alone. Whoever reads it still comes from anywhere, with a role.')
param privateIngestion bool

@description('Region.')
param location string

@description('Tags.')
param tags tagsType

var ingestion = privateIngestion ? 'Disabled' : 'Enabled'

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: retentionDays
    publicNetworkAccessForIngestion: ingestion
    workspaceCapping: {
      dailyQuotaGb: dailyQuotaGb
    }
    features: {
      disableLocalAuth: true
    }
  }
}

resource component 'Microsoft.Insights/components@2020-02-02' = {
  name: componentName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    publicNetworkAccessForIngestion: ingestion
    DisableLocalAuth: true
  }
}

resource actionGroup 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: actionGroupName
  location: 'global'
  tags: tags
  properties: {
    groupShortName: actionGroupShortName
    enabled: true
    emailReceivers: [
      for (address, i) in alertEmails: {
        name: 'mail-${i}'
        emailAddress: address
        useCommonAlertSchema: true
      }
    ]
    webhookReceivers: [
      for (address, i) in alertWebhooks: {
        name: 'webhook-${i}'
        serviceUri: address
        useCommonAlertSchema: true
      }
    ]
  }
}
