// SegmentStorage
