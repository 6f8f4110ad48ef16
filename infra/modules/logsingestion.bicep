metadata description = '''
A table of the workspace that settled events are sent to, and the data collection rule that takes them (Entra only): at its own
endpoint (kind Direct), which is public, or, where telemetry stays in the network, at a data collection endpoint of the private link
scope (learn.microsoft.com, Logs Ingestion API in Azure Monitor, Basic operation). Its columns are those of integration/analytics/columns.py; a test holds them to each other.
'''

import { tagsType } from 'types.bicep'

@description('Name of the data collection rule.')
param name string

@description('Name of the workspace.')
param workspaceName string

@description('The stream that the rule declares (topology.json, sinks.logAnalytics): Custom-, and the name of the table.')
param stream string

@description('Name of the data collection endpoint in the private link scope; empty where rows go to the public endpoint of the rule.')
param endpointName string

@description('Region, which has to be that of the workspace.')
param location string

@description('Tags.')
param tags tagsType

var columns = [
  { name: 'TimeGenerated', type: 'datetime' }
  { name: 'HubPartition', type: 'string' }
  { name: 'SequenceNumber', type: 'long' }
  { name: 'EnqueuedTime', type: 'datetime' }
  { name: 'EventId', type: 'string' }
  { name: 'State', type: 'string' }
  { name: 'Reason', type: 'string' }
  { name: 'TableName', type: 'string' }
  { name: 'RecordId', type: 'string' }
  { name: 'Message', type: 'string' }
  { name: 'Attempts', type: 'long' }
  { name: 'OperationTime', type: 'datetime' }
  { name: 'AcceptedTime', type: 'datetime' }
  { name: 'SettledTime', type: 'datetime' }
  { name: 'CorrelationId', type: 'string' }
  { name: 'Organisation', type: 'string' }
  { name: 'ReplayOf', type: 'string' }
  { name: 'ChangedColumns', type: 'dynamic' }
  { name: 'Effects', type: 'dynamic' }
  { name: 'Cut', type: 'dynamic' }
  { name: 'TraceParent', type: 'string' }
  { name: 'More', type: 'dynamic' }
]

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' existing = {
  name: workspaceName

  resource table 'tables' = {
    name: substring(stream, length('Custom-'))
    properties: {
      plan: 'Analytics'
      schema: {
        name: substring(stream, length('Custom-'))
        description: 'How events of the Dataverse integration ended; of rows with the same HubPartition and SequenceNumber, one counts.'
        // The table's types are those of the stream, but for the spelling of one.
        columns: map(columns, it => { name: it.name, type: it.type == 'datetime' ? 'dateTime' : it.type })
      }
    }
  }
}

resource endpoint 'Microsoft.Insights/dataCollectionEndpoints@2024-03-11' = if (!empty(endpointName)) {
  name: empty(endpointName) ? 'none' : endpointName
  location: location
  tags: tags
  properties: {
    description: 'Takes settled events of the Dataverse integration from the network alone.'
    networkAcls: {
      publicNetworkAccess: 'Disabled'
    }
  }
}

resource rule 'Microsoft.Insights/dataCollectionRules@2024-03-11' = {
  name: name
  location: location
  tags: tags
  kind: empty(endpointName) ? 'Direct' : null
  properties: {
    description: 'Settled events of the Dataverse integration.'
    dataCollectionEndpointId: empty(endpointName) ? null : endpoint.id
    streamDeclarations: {
      '${stream}': {
        columns: columns
      }
    }
    destinations: {
      logAnalytics: [
        {
          name: 'workspace'
          workspaceResourceId: workspace.id
        }
      ]
    }
    dataFlows: [
      {
        streams: [stream]
        destinations: ['workspace']
        transformKql: 'source'
        outputStream: stream
      }
    ]
  }
  dependsOn: [
    workspace::table
  ]
}
